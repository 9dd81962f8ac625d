"""POST /-/reload: reads config.yaml anew, as SIGHUP does, and answers with what came of it.

Whoever may read metrics may not do this: it asks for a token of the API with a scope of its own, which an admin makes.
"""

import structlog
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from service.actions.api_tokens import Scope
from service.config.differences import Reloaded
from service.errors import ReplycastError
from service.web.api.door import demand, token_of
from service.web.api.problems import FieldFault, Refused, answer, of_error, problem_of
from service.web.front import JsonLine, front_of

_log = structlog.get_logger()


async def reload_config(request: Request) -> Response:
    """Reload once the token allows it: 200 with what changed, or 409 with every fault, and then nothing changed."""
    try:
        token = await to_thread.run_sync(token_of, request)
        demand(Scope.CONFIG_RELOAD, token)
        _log.info("config.yaml is to be read anew", by=token.name)
        outcome = await front_of(request).reload()
    except ReplycastError as error:
        return answer(of_error(error))
    return _told(outcome)


def _told(outcome: Reloaded) -> Response:
    if outcome.faults:
        faults = [FieldFault(detail=one) for one in outcome.faults]
        said = f"nothing was put in force: {outcome.faults[0]}"
        return answer(Refused(problem_of(409, said, reason="config_refused", errors=faults)))
    shown = {"changes": outcome.changes, "needs_restart": outcome.needs_restart}
    return JsonLine(shown, headers={"cache-control": "no-store"})
