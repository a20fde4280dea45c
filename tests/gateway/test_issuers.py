"""The file of issuers: what it may say, and what is refused loudly."""

from pathlib import Path

import pytest

from gateway.issuers import BadIssuers, Issuer, MemberName, is_safe_url, read_issuers
from gateway.settings import BadSetting, read_settings

EXAMPLE = Path(__file__).parents[2] / "deploy" / "issuers.toml"

ONE = """
[[issuer]]
issuer = "https://login.test"
audience = "coalition"
member = "coalitionNumber"
"""


def test_the_example() -> None:
    """The example that is delivered is one."""
    coalition, brand = read_issuers(EXAMPLE.read_bytes())
    assert (coalition.brand, brand.brand) == (None, "AERO")
    assert brand.member is MemberName.EXTERNAL_ID


def test_what_is_left_out() -> None:
    """What is left out has a safe value."""
    assert read_issuers(ONE.encode()) == (
        Issuer(
            "https://login.test",
            "coalition",
            MemberName.COALITION_NUMBER,
            "sub",
            ("RS256", "ES256", "EdDSA"),
            None,
            None,
        ),
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no [[issuer]]"),
        ("issuer = 7", "[[issuer]]"),
        ("[issuer]", "[[issuer]]"),
        ("[[issuer", "no TOML"),
        ("\xff", "no TOML"),
        ("[[issuer]]", "`issuer`"),
        (ONE.replace("https:", "http:"), "https"),
        (ONE.replace("https://login.test", "login.test"), "https"),
        (ONE + 'jwks_uri = "http://10.0.0.1/keys"', "https"),
        (ONE + 'jwks_url = "https://login.test/keys"', "jwks_url"),
        (ONE.replace("coalitionNumber", "email"), "`member`"),
        (ONE + 'algorithms = ["HS256"]', "HS256"),
        (ONE + 'algorithms = ["none"]', "none"),
        (ONE + 'algorithms = ["None"]', "None"),
        (ONE + "algorithms = [[]]", "[]"),
        (ONE + "algorithms = []", "algorithms"),
        (ONE + 'algorithms = "ES256"', "algorithms"),
        (ONE + "member_claim = 7", "member_claim"),
        (ONE + 'brand = ""', "brand"),
        (ONE + ONE, "twice"),
    ],
)
def test_what_makes_no_sense(content: str, why: str, tmp_path: Path) -> None:
    """A file that makes no sense is refused as it is read, and the refusal says where: no secret
    and no absent signature can be listed as an algorithm."""
    encoded = content.encode("latin-1")
    with pytest.raises(BadIssuers) as caught:
        read_issuers(encoded)
    assert why in str(caught.value)
    path = tmp_path / "issuers.toml"
    path.write_bytes(encoded)
    given = {"COALITION_DATABASE": f"sqlite:///{tmp_path}/c.db", "COALITION_ISSUERS": str(path)}
    with pytest.raises(BadSetting, match="COALITION_ISSUERS"):
        read_settings(given)


def test_the_setting(tmp_path: Path) -> None:
    """The setting names the file; without it nobody is trusted, and a file that is not there is
    missed."""
    given = {"COALITION_DATABASE": f"sqlite:///{tmp_path}/c.db"}
    assert read_settings(given).issuers == ()
    assert len(read_settings({**given, "COALITION_ISSUERS": str(EXAMPLE)}).issuers) == 2
    with pytest.raises(BadSetting, match="No such file"):
        read_settings({**given, "COALITION_ISSUERS": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.test/keys?a=b", True),
        ("https://login.test:8443/keys", True),
        ("http://localhost:8080/keys", True),
        ("http://127.0.0.1/keys", True),
        ("http://[::1]:1/keys", True),
        ("http://127.0.0.1.evil.test/keys", False),
        ("http://localhost@evil.test/keys", False),
        ("https://user:word@login.test/keys", False),
        ("https://login.test/#keys", False),
        ("https://login.test:port/", False),
        ("https://", False),
        ("https:///keys", False),
        ("ftp://login.test/keys", False),
        ("//login.test/keys", False),
        ("https://login.test/\n", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_places_of_keys(url: str, safe: bool) -> None:
    """Keys come by https from where they are said to be, or from this machine."""
    assert is_safe_url(url) is safe
