"""The name of a download ends no header and begins no other."""

import pytest
from starlette.responses import Response

from orchestrator.api.serialization import attachment


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("job-7.log", 'attachment; filename="job-7.log"'),
        (
            "nl-name\nX-Bad: 1.html",
            "attachment; filename=\"nl-name_X-Bad_ 1.html\"; filename*=UTF-8''nl-name%0AX-Bad%3A%201.html",
        ),
        ('a";b.zip', "attachment; filename=\"a__b.zip\"; filename*=UTF-8''a%22%3Bb.zip"),
        ("Größe 🎞.zip", "attachment; filename=\"Gr__e _.zip\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%F0%9F%8E%9E.zip"),
    ],
)
def test_a_name_stays_within_its_header(name: str, header: str) -> None:
    assert attachment(name) == {"Content-Disposition": header}
    sent = dict(Response(headers=attachment(name)).raw_headers)
    assert sent[b"content-disposition"].decode() == header
