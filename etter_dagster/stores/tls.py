"""Why no encrypted connection came about: drivers hide it below errors of their own."""

from __future__ import annotations

import ssl

# OpenSSL's codes for a certificate of another host or address; its words would name the address.
_OTHER_NAME = (62, 64)


def tls_problem(error: BaseException | None, *, authorities: str, plain: str) -> str:
    """Why no encrypted connection came about, without an address; empty if it was something else.

    Args:
        error: What a driver raised.
        authorities: Where it is set whose certificates are trusted.
        plain: Where it is set whether the server is spoken to over TLS.
    """
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            if error.verify_code in _OTHER_NAME:
                return "its certificate is for another name than the one it was reached by"
            return f"its certificate is refused ({error.verify_message}); check {authorities}"
        if isinstance(error, ssl.SSLError):
            return f"it does not speak TLS as this client does; check {plain}"
        error = error.__cause__ or error.__context__
    return ""
