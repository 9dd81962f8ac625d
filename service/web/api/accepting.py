"""Reading the two header fields by which client and server agree on a form: Accept and Content-Type."""


def accepts(accept: str, media_type: str) -> bool:
    """Tell whether an Accept field takes a media type (RFC 9110 section 12.5.1); none takes anything."""
    if not accept.strip():
        return True
    kind = media_type.partition("/")[0]
    by_precision = {media_type: 3, f"{kind}/*": 2, "*/*": 1}
    best, is_taken = 0, False
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        precision = by_precision.get(name, 0)
        if precision > best:
            best, is_taken = precision, not any(_is_nought(one) for one in parameters)
    return is_taken


def _is_nought(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and not value.strip().strip("0.")


def is_of_type(content_type: str, media_type: str) -> bool:
    """Tell whether a body is said to be of a media type, in UTF-8, which is what is meant where nothing is said."""
    name, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if name != media_type:
        return False
    charset = next((one.partition("=")[2] for one in parameters if one.startswith("charset=")), "utf-8")
    return charset.strip('"') in {"utf-8", "utf8", "us-ascii"}
