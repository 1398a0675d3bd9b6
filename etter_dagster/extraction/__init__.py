"""Text out of PDF, DOCX and HTML, each document in a process of its own.

`pool` is the way in; `worker` runs in a child process that forks once per document and bounds its
time and memory; `pdf`, `docx` and `html` run there and nowhere else. Where documents come from and
whom to blame for a bad one is not known here.
"""
