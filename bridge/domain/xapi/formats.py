"""The formats of strings in statements: IRIs, UUIDs, language tags, mailboxes, durations.

Every pattern is linear in the length of the text, so that none can be made to take long.
"""

from __future__ import annotations

import re

# --- IRIs (RFC 3987) ---------------------------------------------------------------------------
_UCS = (
    "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
    + "".join(f"{chr(p << 16)}-{chr((p << 16) + 0xFFFD)}" for p in range(1, 14))
    + "\U000e1000-\U000efffd"
)
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
_UNRESERVED = f"A-Za-z0-9\\-._~{_UCS}"
_SUB = "!$&'()*+,;="
_PCT = "%[0-9A-Fa-f]{2}"


def _run(chars: str) -> str:
    return f"(?:[{chars}]++|{_PCT})*+"


_USER = _run(f"{_UNRESERVED}{_SUB}:")
_HOST = rf"(?:\[(?:[0-9A-Fa-f:.]++|[vV][0-9A-Fa-f]++\.[A-Za-z0-9\-._~{_SUB}:]++)\]"
_PATH = _run(f"{_UNRESERVED}{_SUB}:@/")
# What follows the scheme: `//` begins an authority, and a path in any other case. The user is
# looked for first and given up as a whole, because its characters are those of a host as well.
_IRI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*+:"
    rf"(?://(?:(?>{_USER}@)|){_HOST}|{_run(_UNRESERVED + _SUB)})(?::[0-9]*+)?(?:/{_PATH})?"
    rf"|(?!//){_PATH})"
    rf"(?:\?{_run(_UNRESERVED + _SUB + ':@/?' + _PRIVATE)})?"
    rf"(?:\#{_run(_UNRESERVED + _SUB + ':@/?')})?"
)


def is_iri(text: str) -> bool:
    """Whether it is an IRI with a scheme, by RFC 3987."""
    return _IRI.fullmatch(text) is not None


# --- the rest ------------------------------------------------------------------------------------
_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")


def is_uuid(text: str) -> bool:
    """Whether it is a UUID in its standard form: of any version and variant, in any case."""
    return _UUID.fullmatch(text) is not None


_ALNUM = "[A-Za-z0-9]"
_PRIVATE_USE = rf"[xX](?:-{_ALNUM}{{1,8}}){{1,64}}+"
_LANGUAGE = re.compile(
    r"(?:(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4}|[A-Za-z]{5,8})"
    r"(?:-[A-Za-z]{4})?"  # script
    r"(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"  # region
    rf"(?:-(?:{_ALNUM}{{5,8}}|[0-9]{_ALNUM}{{3}})){{0,32}}"  # variants
    rf"(?:-[0-9A-WYZa-wyz](?:-{_ALNUM}{{2,8}}){{1,32}}){{0,16}}"  # extensions
    rf"(?:-{_PRIVATE_USE})?"
    rf"|{_PRIVATE_USE}"
    # What was registered before there was a grammar (RFC 5646, 2.2.8).
    r"|(?i:en-GB-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)"
    r"|sgn-(?:BE-FR|BE-NL|CH-DE)|art-lojban|cel-gaulish|no-(?:bok|nyn)"
    r"|zh-(?:guoyu|hakka|min|min-nan|xiang)))"
)
#: The longest language tag that is looked at, in characters.
_LONGEST_TAG = 255


def is_language(text: str) -> bool:
    """Whether it is a well-formed language tag, by RFC 5646 (BCP 47)."""
    return len(text) <= _LONGEST_TAG and _LANGUAGE.fullmatch(text) is not None


_LABEL = r"[^\s@.<>()\[\],;:\\\"\x00-\x1f]++"
_MAILBOX = re.compile(
    rf'mailto:(?:{_LABEL}(?:\.{_LABEL})*+|"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])++")'
    rf"@(?:{_LABEL}(?:\.{_LABEL})*+|\[[0-9A-Za-z:.]++\])"
)


def is_mailbox(text: str) -> bool:
    """Whether it is `mailto:` and one address."""
    return _MAILBOX.fullmatch(text) is not None


_SHA1 = re.compile(r"[0-9A-Fa-f]{40}")
#: SHA-2 in hexadecimal: 224, 256, 384 or 512 bits.
_SHA2 = re.compile(r"[0-9A-Fa-f]{56}(?:[0-9A-Fa-f]{8})?|[0-9A-Fa-f]{96}(?:[0-9A-Fa-f]{32})?")


def is_sha1(text: str) -> bool:
    """Whether it is a SHA-1 hash in hexadecimal."""
    return _SHA1.fullmatch(text) is not None


def is_sha2(text: str) -> bool:
    """Whether it is a hash of the SHA-2 family in hexadecimal."""
    return _SHA2.fullmatch(text) is not None


_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z\-]++"  # noqa: S105  a token of RFC 9110, no secret
_MEDIA = re.compile(
    rf'{_TOKEN}/{_TOKEN}(?:[ \t]*+;[ \t]*+(?:{_TOKEN}=(?:{_TOKEN}|"(?:[^"\\]|\\.)*+"))?)*+'
)


def is_media_type(text: str) -> bool:
    """Whether it is an Internet media type, such as `text/plain; charset=utf-8`."""
    return _MEDIA.fullmatch(text) is not None


# A fraction is allowed in the last, smallest part alone (ISO 8601, 4.4.3.2).
_DURATION = re.compile(
    r"P(?:\d++(?:[.,]\d++)?W|"
    r"(?=\d|T\d)(?:\d++(?:[.,]\d++(?=Y\Z))?Y)?(?:\d++(?:[.,]\d++(?=M\Z))?M)?"
    r"(?:\d++(?:[.,]\d++(?=D\Z))?D)?"
    r"(?:T(?=\d)(?:\d++(?:[.,]\d++(?=H\Z))?H)?(?:\d++(?:[.,]\d++(?=M\Z))?M)?"
    r"(?:\d++(?:[.,]\d++)?S)?)?)",
    re.ASCII,
)


def is_duration(text: str) -> bool:
    """Whether it is a duration of ISO 8601 in its usual form (4.4.3.2), such as `PT4H35M59.14S`."""
    return _DURATION.fullmatch(text) is not None


_VERSION_1 = re.compile(r"1\.0(?:\.[0-9]+)?")
_VERSION_2 = re.compile(r"[12]\.0(?:\.[0-9]+)?")


def is_version(text: str, *, second: bool) -> bool:
    """Whether a statement may be of that version: 1.0.x, and 2.0.x by the `second` edition."""
    return (_VERSION_2 if second else _VERSION_1).fullmatch(text) is not None
