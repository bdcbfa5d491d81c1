"""What things observe, as it happens."""

from fastapi import APIRouter, WebSocket

from cim_core.sight import Sight
from server.access.verbs import spoken
from server.documented import LayerPath
from server.state import AccessDep, StateDep
from server.telling import Told, tell

router = APIRouter(tags=["observations"])


@router.websocket("/live/{layer}")
@spoken("read")
async def live(websocket: WebSocket, layer: LayerPath, state: StateDep, access: AccessDep) -> None:
    """The newest value, age and state of every datastream of a layer, and every change of them."""
    await tell(websocket, Told(layer, state.live.watching, _sees), state.gate, access)


def _sees(sight: Sight, layer: str) -> bool:
    return sight.of(layer) is not None
