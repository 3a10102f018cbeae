"""How the panel and the menu script know each other: both hold the token, neither ever sends it.

A request carries a fresh nonce, the digest of its body, and a keyed hash (HMAC-SHA256, RFC 2104) of
both; the answer carries one of the nonce and of what it says. So a stranger can neither ask nor
answer, and a server that took over the port of a dead one learns nothing.
"""

import hashlib
import hmac
import secrets

NONCE_HEADER = "x-sagafoley-nonce"
DIGEST_HEADER = "x-sagafoley-digest"
PROOF_HEADER = "x-sagafoley-proof"


def new_token() -> str:
    """256 bits that nobody can guess, in hex."""
    return secrets.token_hex(32)


def new_nonce() -> str:
    """128 bits that are used once, in hex."""
    return secrets.token_hex(16)


def digest_of(body: bytes) -> str:
    """SHA-256 of a body, in hex."""
    return hashlib.sha256(body).hexdigest()


def request_proof(token: str, nonce: str, digest: str) -> str:
    """What a request must carry beside its nonce and digest."""
    return _keyed(token, "request", nonce, digest)


def answer_proof(token: str, nonce: str, body: bytes) -> str:
    """What the answer to the request of that nonce must carry."""
    return _keyed(token, "answer", nonce, digest_of(body))


def same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _keyed(token: str, *parts: str) -> str:
    message = "\n".join(parts).encode("utf-8", "replace")
    return hmac.new(token.encode("ascii", "replace"), message, hashlib.sha256).hexdigest()
