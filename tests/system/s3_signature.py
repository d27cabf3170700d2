"""AWS Signature Version 4, written from its specification: whether the head of a request is signed with a secret."""
import hashlib
import hmac
from urllib.parse import urlsplit


def fields_of(head):
    lines = [line.split(":", 1) for line in head.decode().split("\r\n")[1:] if ":" in line]
    return {name.lower(): " ".join(value.split()) for name, value in lines}


def authorization_of(head):
    """Its parts: Credential, SignedHeaders, Signature."""
    scheme, _, rest = fields_of(head)["authorization"].partition(" ")
    assert scheme == "AWS4-HMAC-SHA256"
    return dict(part.strip().split("=", 1) for part in rest.split(","))


def signed_fields(head):
    """The headers that the signature covers."""
    fields = fields_of(head)
    return {name: fields[name] for name in authorization_of(head)["SignedHeaders"].split(";")}


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def is_signed(head, secret):
    authorization, fields = authorization_of(head), fields_of(head)
    method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
    url = urlsplit(target)
    _, date, region, service, end = authorization["Credential"].split("/")
    signed = signed_fields(head)
    canonical = "\n".join([method, url.path, "&".join(sorted(url.query.split("&"))),
                           *(f"{name}:{value}" for name, value in sorted(signed.items())), "",
                           authorization["SignedHeaders"], fields["x-amz-content-sha256"]])
    text = "\n".join(["AWS4-HMAC-SHA256", fields["x-amz-date"], f"{date}/{region}/{service}/{end}",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, end):
        key = _hmac(key, part)
    return hmac.compare_digest(_hmac(key, text).hex(), authorization["Signature"])
