"""What an S3 server, or somebody on the way to it, may answer instead of the truth: kura ends with a message, in time,
within its memory, and tells nobody its key."""
import random
import resource
import socket
import threading
import time

import pytest

from kura import Kura
from s3_proxy import Proxy, answer, read_head

SECRET = "abcdefghijklmnopqrstuvwxyz0123456789ABCD"
MEMORY = 1 << 30


class Server(Proxy):
    """Says the same to everybody: `say(client, head)` is asked to answer."""

    def __init__(self, say):
        self.say = say
        super().__init__("127.0.0.1", 1)

    def _serve(self, client):
        head, _ = read_head(client)
        if head:
            self.requests.append(head.split(b"\r\n", 1)[0].decode())
            self.say(client, head)


def kura_at(folder, server, options="?retry=1s"):
    kura = Kura(folder, init=False)
    kura.environment.update({"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET,
                             "KURA_REPO": f"s3+http://127.0.0.1:{server.port}/bucket/office{options}"})
    return kura


def bounded():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def refused(folder, say, code=1):
    """What kura says of such a server, in no more than some seconds and within its memory."""
    server = Server(say)
    done = kura_at(folder, server).run("snapshots", code=code, keys=False, timeout=60, preexec_fn=bounded)
    server.close()
    assert SECRET.encode() not in done.err + done.out
    assert b"\x1b" not in done.err + done.out
    return done.err.decode()


def page(inside):
    return f"<ListBucketResult>{inside}</ListBucketResult>".encode()


def said(*parts):
    def say(client, _head):
        for part in parts:
            client.sendall(part)
    return say


HUGE = b"<Contents><Key>" + b"k" * (9 << 20)
WRONG = {
    "nothing": b"",
    "no-http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "no-xml": answer("200 OK", b"<html>please log in</html>"),
    "xml-cut-off": answer("200 OK", page("<IsTruncated>false</IsTruncated>")[:-10]),
    "entities": answer("200 OK", b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]>' + page("&y;")),
    "deep-xml": answer("200 OK", page("<a>" * 100_000)),
    "long-text": answer("200 OK", page("<Contents><Key>" + "k" * 1_000_000 + "</Key></Contents>")),
    "huge-xml": answer("200 OK", page("<a/>" * (3 << 20))),
    "negative-size": answer("200 OK", page("<Contents><Key>k</Key><Size>-1</Size></Contents>")),
    "body-shorter-than-said": answer("200 OK", page(""))[:-5],
    "negative-length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "length-no-number": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "chunks-no-numbers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "only-continues": b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    "error-with-colours": answer("400 Bad", b"<Error><Code>\xc2\x9b31mX</Code><Message>]0;hi</Message></Error>"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_answer_that_is_none_ends_with_a_message(tmp_path, what):
    assert refused(tmp_path, said(WRONG[what]), code=(1, 2)).startswith("kura")


def endless(beginning, more):
    def say(client, _head):
        client.sendall(beginning)
        while True:
            client.sendall(more)
    return say


@pytest.mark.parametrize("say", [
    endless(b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"x" * 1000 + b"\r\n"),
    endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    endless(b"HTTP/1.1 500 No\r\n\r\n", b"<Error>" * 10_000),
    endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
], ids=["header", "body", "error", "continues"])
def test_an_answer_without_an_end_takes_neither_memory_nor_time(tmp_path, say):
    assert refused(tmp_path, say).startswith("kura")


def test_an_answer_that_trickles_is_given_up(tmp_path):
    def trickle(client, _head):
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000:
            client.sendall(bytes([byte]))
            time.sleep(0.02)
    assert "too slow" in refused(tmp_path, trickle)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_is_not_followed_and_nobody_else_gets_the_signature(tmp_path, status):
    visits = []
    other = socket.create_server(("127.0.0.1", 0))

    def accept():
        try:
            visits.append(other.accept())
        except OSError:
            pass
    threading.Thread(target=accept, daemon=True).start()
    location = f"Location: http://127.0.0.1:{other.getsockname()[1]}/bucket\r\n".encode()
    refused(tmp_path, said(answer(status, b"", location)), code=2)
    other.close()
    assert visits == []


def test_a_listing_that_goes_round_in_circles_ends(tmp_path):
    again = answer("200 OK", page("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" +
                                  "<Contents><Key>office/config/" + "a" * 64 + "</Key><Size>1</Size>" +
                                  "<LastModified>2026-11-24T15:38:55Z</LastModified></Contents>"))
    assert "does not end" in refused(tmp_path, said(again))


def test_chance_is_no_answer(tmp_path):
    random_bytes = random.Random(7)
    for number in range(5):
        refused(tmp_path / str(number), said(b"HTTP/1.1 200 OK\r\n\r\n" + random_bytes.randbytes(5000)), code=(1, 2, 4))
