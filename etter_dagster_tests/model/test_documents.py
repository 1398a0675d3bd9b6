"""Documents: which texts count as the same, and what a request may say of one."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from etter_dagster.model.documents import (
    DocumentRef,
    DocumentType,
    LinkedDocument,
    canonical_text,
    documents_hash,
    text_hash,
)
from etter_dagster_tests.model.records import NOW

WORDS = st.lists(st.text("abé\u0301.", min_size=1, max_size=5), max_size=8)
GAPS = st.text(" \t\n\r\u00a0\u2003\u2028", min_size=1, max_size=3)


def linked(
    content: str, type_: DocumentType = DocumentType.SOP, name: str | None = None
) -> LinkedDocument:
    return LinkedDocument(
        document_id=f"doc-{content}",
        type=type_,
        name=name,
        content=content,
        content_hash=text_hash(content),
        linked_at=NOW,
    )


@given(WORDS, st.data())
def test_white_space_and_encoding_form_are_no_change_of_a_text(
    words: list[str], data: st.DataObject
) -> None:
    """A JD saved on Windows or macOS, or copied from a page, must not cost an assessment."""

    def spelt() -> str:
        text = data.draw(st.sampled_from(["", "\ufeff"])) + data.draw(GAPS)
        for word in words:
            text += word + data.draw(GAPS)
        form = data.draw(st.sampled_from(["NFC", "NFD"]))
        return unicodedata.normalize(form, text)  # type: ignore[arg-type]

    assert text_hash(spelt()) == text_hash(spelt()) == text_hash(" ".join(words))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Analyst", "analyst"),
        ("data base", "database"),
        ("a, b", "a b"),
        ("2 €", "3 €"),
        ("ﬁle", "file"),  # compatibility forms may be meant
        ("", "a"),
    ],
)
def test_another_word_letter_or_mark_is_a_change(text: str, other: str) -> None:
    assert text_hash(text) != text_hash(other)


@given(st.text(st.characters()), st.text(st.characters()))
def test_two_texts_are_equal_exactly_when_their_canonical_forms_are(text: str, other: str) -> None:
    """Any text has a hash, lone surrogates of a broken PDF included."""
    assert (text_hash(text) == text_hash(other)) == (canonical_text(text) == canonical_text(other))


@given(st.text())
def test_the_canonical_form_loses_nothing_but_white_space_and_the_byte_order_mark(
    text: str,
) -> None:
    assume("\ufeff" not in text)
    assert "".join(canonical_text(text).split()) == "".join(
        unicodedata.normalize("NFC", text).split()
    )


@given(st.permutations([linked("a"), linked("b"), linked("c", DocumentType.OTHER, "notes")]))
def test_the_order_of_documents_does_not_matter(documents: list[LinkedDocument]) -> None:
    """Stores and sources list them in any order."""
    expected = documents_hash([linked("c", DocumentType.OTHER, "notes"), linked("b"), linked("a")])
    assert documents_hash(documents) == expected


@pytest.mark.parametrize(
    "other",
    [
        [linked("b")],
        [linked("a"), linked("a")],
        [linked("a", DocumentType.PROCESS_MAP)],
        [linked("a", name="renamed")],
        [],
    ],
)
def test_another_text_type_name_or_number_of_documents_is_a_change(
    other: list[LinkedDocument],
) -> None:
    assert documents_hash(other) != documents_hash([linked("a")])


def test_the_jd_is_not_among_the_other_documents() -> None:
    """It has its own hash; a changed JD must give one reason, not two."""
    jd = linked("jd", DocumentType.JOB_DESCRIPTION)
    assert documents_hash([jd]) == documents_hash([]) == ""
    assert documents_hash([jd, linked("a")]) == documents_hash([linked("a")])


def test_linking_the_same_document_again_is_no_change() -> None:
    again = linked("a").model_copy(
        update={"document_id": "doc-2", "linked_at": NOW + timedelta(days=1), "content": " a\n"}
    )
    assert documents_hash([again]) == documents_hash([linked("a")])


def test_a_document_is_a_job_description_unless_it_says_otherwise() -> None:
    assert DocumentRef(content="text").type is DocumentType.JOB_DESCRIPTION
    assert {kind.value for kind in DocumentType} == {
        "job_description",
        "process_map",
        "sop",
        "other",
    }


@pytest.mark.parametrize(
    ("given_", "part"),
    [
        ({"type": "jd"}, "'job_description', 'process_map', 'sop' or 'other'"),
        ({"contents": "text"}, "contents"),
        ({"uri": "https://example.com/" + "a" * 5000}, "at most 4096"),
        ({"content": 7}, "valid string"),
    ],
)
def test_a_wrong_document_is_refused_naming_what_is_legal(
    given_: dict[str, object], part: str
) -> None:
    with pytest.raises(ValidationError, match=part):
        DocumentRef.model_validate(given_)
