"""A person at the app without a browser: a session of Streamlit over its own protocol.

Sends and keeps what Streamlit 1.67 does in a browser, as recorded from a real page: the address at
first, then the id and value of a changed control with the hashes of the large elements that the
browser still has. Browsers send the unchanged controls too, whose values the server has anyway, and
a token that only matters with a login.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import parse_qs, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState, ContextInfo
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.asyncio.client import ClientConnection, connect

LONGEST_S = 120
"""For one view; a page that takes longer is an error."""


@dataclass
class View:
    """All that one run of a page sent, up to the word that it is complete."""

    messages: list[ForwardMsg] = field(default_factory=list)
    size: int = 0
    """Bytes over the wire; Streamlit does not compress them."""
    wait: float = 0.0
    """Seconds from the request to the last message."""

    @property
    def elements(self) -> Iterator[Element]:
        """In the order in which they came; containers are none."""
        for message in self.messages:
            if message.delta.HasField("new_element"):
                yield message.delta.new_element

    @property
    def headings(self) -> list[str]:
        """Titles and subheadings as their Markdown."""
        return [each.heading.body for each in self.elements if each.HasField("heading")]

    @property
    def exceptions(self) -> list[str]:
        return [str(each.exception) for each in self.elements if each.HasField("exception")]


class Visitor:
    """One connection, that is one session, on one page; open it with `visit`."""

    def __init__(self, url: str, path: str, query: dict[str, str]) -> None:
        self._url, self._path, self._query = url, path, urlencode(query)
        self._page_hash = ""
        self._kept: dict[str, ForwardMsg] = {}
        """Large elements of the last view by hash, as the browser keeps them."""
        self._last = View()
        self._connection: ClientConnection | None = None

    @property
    def query(self) -> dict[str, str]:
        """What stands in the address now."""
        return {name: values[-1] for name, values in parse_qs(self._query).items()}

    async def visit(self) -> View:
        """Connect and load the page of the address."""
        begin = monotonic()
        self._connection = await connect(
            f"{self._url.replace('http', 'ws', 1)}/_stcore/stream", origin=self._url,
            subprotocols=["streamlit"], max_size=None, ping_interval=None,
        )  # fmt: skip
        return await self._run(begin, ClientState(page_name=self._path))

    async def choose(self, key: str, title: str) -> View:
        """Pick the option with this title in the select box with this key."""
        found = [
            each.selectbox
            for each in self._last.elements
            if each.HasField("selectbox") and each.selectbox.id.endswith(f"-{key}")
        ]
        assert len(found) == 1, f"{key}: {len(found)} such boxes"
        assert title in found[0].options, f"{key}: no option '{title}'"
        state = WidgetState(id=found[0].id, string_value=title)
        return await self._run(
            monotonic(),
            ClientState(
                page_script_hash=self._page_hash,
                widget_states=WidgetStates(widgets=[state]),
                cached_message_hashes=list(self._kept),
            ),
        )

    async def leave(self) -> None:
        if self._connection:
            await self._connection.close()

    async def _run(self, begin: float, state: ClientState) -> View:
        state.query_string = self._query
        address = f"{self._url}/{self._path}"
        state.context_info.CopyFrom(
            ContextInfo(timezone="Europe/Berlin", timezone_offset=-60, locale="de-DE", url=address,
                        is_embedded=False, color_scheme="light")
        )  # fmt: skip
        assert self._connection
        view = View()
        async with asyncio.timeout(LONGEST_S):
            await self._connection.send(BackMsg(rerun_script=state).SerializeToString())
            while not _completed(view):
                payload = await self._connection.recv(decode=False)
                view.size += len(payload)
                view.messages.append(self._read(payload))
        view.wait = monotonic() - begin
        self._last = view
        self._kept = {each.hash: each for each in view.messages if each.metadata.cacheable}
        return view

    def _read(self, payload: bytes) -> ForwardMsg:
        message = ForwardMsg.FromString(payload)
        match message.WhichOneof("type"):
            case "ref_hash":
                return self._kept[message.ref_hash]
            case "page_info_changed":
                self._query = message.page_info_changed.query_string
            case "navigation":
                self._page_hash = message.navigation.page_script_hash
        return message


def _completed(view: View) -> bool:
    """Whether the script ran to its end; a run that ends early for another one goes on."""
    if not view.messages or view.messages[-1].WhichOneof("type") != "script_finished":
        return False
    word = view.messages[-1].script_finished
    assert word != ForwardMsg.FINISHED_WITH_COMPILE_ERROR
    return word == ForwardMsg.FINISHED_SUCCESSFULLY
