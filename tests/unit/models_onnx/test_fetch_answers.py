"""Where a server may send a fetcher, and what its headers may say."""

from __future__ import annotations

import io
import time
from dataclasses import replace

import pytest
import requests

from models_onnx.addresses import UnsafeAddress, check_address, file_address, next_address
from models_onnx.fetching import FetchFailed
from tests.unit.models_onnx.bad_server import Behaviour
from tests.unit.models_onnx.fetch_desk import CONTENT, QUICK, Desk, published, refused


def test_redirects_are_followed(desk: Desk) -> None:
    told = Behaviour(CONTENT, redirects=["/second", "third?a=b"])
    desk.fetch(told)
    assert desk.is_right()
    assert [request["path"] for request in told.requests] == ["/saganet.pth", "/second", "/third?a=b"]


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/", "data:,x"])
def test_redirects_to_other_schemes_are_refused(desk: Desk, location: str) -> None:
    assert refused(desk, Behaviour(CONTENT, redirects=[location])).reason == "unsafe"


@pytest.mark.parametrize(
    "location",
    [
        "https://[bad",
        "http://a\xc2\xbd.com\xef\xbc\x8f/",
        "http://127.0.0.1:99999/",
        f"http://{'a' * 70}.com/",
        "//[::",
    ],
)
def test_redirects_to_what_is_no_address_are_refused(desk: Desk, location: str) -> None:
    """A broken IPv6 address, letters that become a slash, a port and a label that are too long."""
    assert refused(desk, Behaviour(CONTENT, redirects=[location])).reason in {"unsafe", "refused"}


def test_the_body_of_a_redirect_is_not_waited_for(desk: Desk) -> None:
    desk.fetcher = replace(desk.fetcher, patience=replace(QUICK, read=15))
    began = time.monotonic()
    desk.fetch(Behaviour(CONTENT, redirects=["/second"], redirects_stall="yes"))
    assert time.monotonic() - began < 10
    assert desk.is_right()


SUPERSCRIPT, ENORMOUS = "\xb2", "9" * 5000
"""A digit to `str.isdigit` that is none to `int`, and more digits than `int` takes."""


@pytest.mark.parametrize("number", [SUPERSCRIPT, ENORMOUS, "-5", "3 x"])
def test_numbers_that_are_none(desk: Desk, number: str) -> None:
    desk.fetch(Behaviour(CONTENT, chunked="yes", headers={"Content-Length": number}))
    assert desk.is_right()
    desk.target.unlink()
    desk.pauses.clear()
    desk.fetch(Behaviour(CONTENT, statuses=[503], headers={"Retry-After": number}))
    assert desk.is_right()
    assert desk.pauses[0] < 2
    desk.target.unlink()
    refused(desk, Behaviour(CONTENT, statuses=[416] * 9, headers={"Content-Range": f"bytes */{number}"}))
    refused(desk, Behaviour(CONTENT, statuses=[206] * 9, headers={"Content-Range": f"bytes {number}-1/2"}))


@pytest.mark.parametrize("chunked", ["no", "framed"])
def test_an_answer_in_no_encoding_is_an_interruption(desk: Desk, chunked: str) -> None:
    told = Behaviour(CONTENT, headers={"Content-Encoding": "gzip"}, chunked=chunked)
    assert "not in the encoding" in str(refused(desk, told))


def test_a_circle_of_redirects_ends(desk: Desk) -> None:
    fault = refused(desk, Behaviour(CONTENT, redirects=["/saganet.pth"] * 30))
    assert "in a circle" in str(fault)


def test_a_redirect_without_an_address_does_not_loop_for_ever(desk: Desk) -> None:
    assert refused(desk, Behaviour(CONTENT, redirects=[""] * 30)).reason == "refused"


class Downgrading(requests.adapters.BaseAdapter):
    """Answers every https request with a redirect to http."""

    def send(self, request: requests.PreparedRequest, **_rest: object) -> requests.Response:
        response = requests.Response()
        response.status_code, response.url, response.request = 302, str(request.url), request
        response.headers["Location"] = "http://127.0.0.1:9/saganet.pth"
        response.raw = io.BytesIO()
        return response

    def close(self) -> None:
        """Hold nothing."""


def test_https_is_never_left_for_http(desk: Desk) -> None:
    desk.session.mount("https://", Downgrading())
    with pytest.raises(FetchFailed, match="not safe to follow") as raised:
        desk.fetcher.fetch(published(), "https://example.org/saganet.pth", desk.target)
    assert raised.value.reason == "unsafe"


def test_addresses() -> None:
    assert next_address("https://a/b/c", "d") == "https://a/b/d"
    assert next_address("http://a/b", "https://c/d") == "https://c/d"
    assert file_address("http://mirror/x/", "a.pth") == "http://mirror/x/a.pth"
    assert check_address("http://mirror", named_by_user="yes") == "http://mirror"
    bad = ("https://[bad", "https://a:99999/b", "https://a\u2100b/")
    for address in ("http://a/b", "ftp://a/b", "https://", "a/b", "file:///a", *bad):
        with pytest.raises(UnsafeAddress):
            check_address(address)
    for location in ("HTTP://a/b", "http://a/b", "ftp:", *bad):
        with pytest.raises(UnsafeAddress):
            next_address("https://a/b", location)
