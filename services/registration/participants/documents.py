"""How participants and bills are stored. The card's number and BPJS's words are sealed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.registration.participants.domain.state import Bill, BpjsAnswer, Participant
from shared.runtime.codecs import Codecs, record, row
from shared.runtime.ports import Codec, Index

CODECS = Codecs(record(Participant, derived=("outcome",), seldom=("answers",)), row(BpjsAnswer))
STORED: Mapping[str, Codec] = {"participants": CODECS.of(Participant), "bills": CODECS.of(Bill)}
# One range of this index is an invoice in the order of its priority, page by page.
INDEXES: Mapping[str, Sequence[Index]] = {"participants": (Index(fields=("state.invoice_id", "state.number")),)}
