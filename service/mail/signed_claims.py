"""Signs claims as a JSON Web Token.

Imported only where a Google service account logs in: joserfc and cryptography cost ten megabytes of memory.
"""

from collections.abc import Mapping

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey


def sign(claims: Mapping[str, object], private_key: str) -> str:
    """Sign claims by RS256 with a private key (PEM). Raises ValueError where it is none that can."""
    try:
        return jwt.encode({"alg": "RS256"}, dict(claims), RSAKey.import_key(private_key))
    except JoseError as error:
        raise ValueError("no private key that can sign") from error
