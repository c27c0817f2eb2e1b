"""Personal data in a dataset: which kinds, in how many rows, and what the reference has too."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from schemas.audit import Evidence, Finding, Group, Metric, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_ROWS, Count, excerpt, printable, row_rate
from tasks.quality.pii import Hit, Kind, find_personal_data

_NAMES = {
    Kind.URL_CREDENTIALS: "a web address with a user name or password",
    Kind.EMAIL: "an e-mail address",
    Kind.IBAN: "a bank account number (IBAN)",
    Kind.CARD: "a payment card number",
    Kind.IP: "a public IP address",
    Kind.PHONE: "a phone number",
}
_DEFINITIONS = {
    Kind.URL_CREDENTIALS: "a URL with user information before its host",
    Kind.EMAIL: "an e-mail address of ASCII characters with a dotted domain",
    Kind.IBAN: "an IBAN with its country's structure and valid check digits",
    Kind.CARD: "12 to 19 digits with an issuer's prefix and length and a valid check digit",
    Kind.IP: "an IPv4 or IPv6 address outside private, loopback and documentation ranges",
    Kind.PHONE: "a phone number that is valid in its country",
}
_SOURCES = {
    Kind.URL_CREDENTIALS: "RFC 3986, 3.2.1. https://www.rfc-editor.org/rfc/rfc3986",
    Kind.EMAIL: "RFC 5321, 4.1.2. https://www.rfc-editor.org/rfc/rfc5321",
    Kind.IBAN: "ISO 13616-1:2020. https://www.iso.org/standard/81090.html",
    Kind.CARD: "ISO/IEC 7812-1:2017. https://www.iso.org/standard/70484.html",
    Kind.IP: "IANA special-purpose registries, RFC 6890. https://www.rfc-editor.org/rfc/rfc6890",
    Kind.PHONE: "libphonenumber. https://github.com/google/libphonenumber",
}
_RESERVED = "Values set aside for documentation, tests, fiction and private networks do not count."
_REMOVE = (
    "Replace the values by placeholders or drop the rows, and mend the prompt or the examples that "
    "they come from."
)


@dataclass(frozen=True)
class _Scan:
    """A corpus and the personal data in it."""

    corpus: Corpus
    hits: list[Hit]

    @cached_property
    def by_row(self) -> dict[int, list[Hit]]:
        rows: dict[int, list[Hit]] = {}
        for hit in self.hits:
            rows.setdefault(hit.text, []).append(hit)
        return rows

    @cached_property
    def values(self) -> set[tuple[Kind, str]]:
        """What belongs to somebody."""
        return {self.value(hit) for hit in self.hits if not hit.reserved}

    def value(self, hit: Hit) -> tuple[Kind, str]:
        """Return a value without case, blanks and punctuation, which copies may differ in."""
        text = self.corpus.strings[hit.text][hit.start : hit.end].casefold()
        return hit.kind, "".join(filter(str.isalnum, text))

    def of_kind(self, kind: Kind | None = None) -> "_Scan":
        """Return what belongs to somebody, of one kind or of all."""
        hits = [h for h in self.hits if not h.reserved and (kind is None or h.kind is kind)]
        return _Scan(self.corpus, hits)

    def shared_with(self, other: "_Scan") -> "_Scan":
        """Return what belongs to somebody and stands in the other corpus too."""
        hits = [h for h in self.of_kind().hits if self.value(h) in other.values]
        return _Scan(self.corpus, hits)

    @property
    def count(self) -> Count:
        return Count(len(self.by_row), len(self.corpus))


def measure(*, corpus: Corpus, reference: Corpus | None, region: str | None) -> Section:
    """Measure how many rows hold personal data (`find_personal_data`).

    Args:
        corpus: The dataset.
        reference: Real data. A value that both hold was copied; the baseline is the rate in as many
            of its rows.
        region: Country whose national phone numbers count ("US"); without it only international
            ones do.
    """
    scan = _scan(corpus, region)
    whole = None if reference is None else _scan(reference, region)
    usual = None
    if reference is not None:
        drawn = reference.sample(len(corpus), key="baseline")
        usual = whole if drawn is reference else _scan(drawn, region)
    copied = None if whole is None else scan.shared_with(whole)
    return Section(
        group=Group.PRIVACY,
        metrics=(*_rates(scan, usual, region), _copied_rate(copied)),
        tables=(_table(scan, whole),),
        findings=tuple(_findings(scan, copied)),
    )


def _scan(corpus: Corpus, region: str | None) -> _Scan:
    return _Scan(corpus, find_personal_data(corpus.strings, region=region))


def _rates(scan: _Scan, usual: _Scan | None, region: str | None) -> Iterator[Metric]:
    definition = (
        f"Share of rows with at least one e-mail address, phone number, IBAN, card number, public "
        f"IP address or URL with user information. {_RESERVED} Names are another measure; postal "
        "addresses are not looked for."
    )
    says = ("Rows with personal data", definition, "")
    yield _rate("personal_data_rate", says, scan.of_kind(), usual and usual.of_kind())
    for kind in Kind:
        definition = f"Share of rows with {_DEFINITIONS[kind]}. {_RESERVED}"
        if kind is Kind.PHONE:
            counted = f"those of {region} and" if region else "no country was named, so only"
            definition += f" Counted are {counted} international ones (+44 ...)."
        says = (f"Rows with {_NAMES[kind]}", definition, _SOURCES[kind])
        yield _rate(f"{kind}_rate", says, scan.of_kind(kind), usual and usual.of_kind(kind))


def _rate(name: str, says: tuple[str, str, str], scan: _Scan, usual: _Scan | None) -> Metric:
    baseline = None if usual is None else usual.count
    return row_rate(name, Group.PRIVACY, says=says, count=scan.count, baseline=baseline)


def _copied_rate(copied: _Scan | None) -> Metric:
    title = "Rows with personal data of the reference"
    definition = (
        "Share of rows that hold a value which also stands in the reference, whatever the case, "
        f"blanks and punctuation. {_RESERVED}"
    )
    if copied is not None:
        return _rate("copied_personal_data_rate", (title, definition, ""), copied, None)
    return Metric(
        name="copied_personal_data_rate",
        group=Group.PRIVACY,
        title=title,
        unit="share",
        better="lower",
        estimate=None,
        unmeasured="no reference was given",
        definition=definition,
    )


def _table(scan: _Scan, whole: _Scan | None) -> Table:
    rows = []
    for kind in Kind:
        found = scan.of_kind(kind)
        reserved = sum(hit.kind is kind and hit.reserved for hit in scan.hits)
        elsewhere = None if whole is None else whole.of_kind(kind).count.rows
        values = len(found.hits), len(found.values), reserved
        rows.append((kind.value, found.count.rows, *values, elsewhere))
    return Table(
        name="personal_data",
        group=Group.PRIVACY,
        title="Personal data by kind",
        caption="Rows that hold such a value, how often one stands there and how many differ. "
        "Reserved: values that belong to nobody and do not count (example.com, 192.168.0.1, "
        "555-0123, test cards).",
        columns=("kind", "rows", "values", "distinct", "reserved", "rows of the reference"),
        rows=tuple(rows),
    )


def _findings(scan: _Scan, copied: _Scan | None) -> Iterator[Finding]:
    if copied is not None and copied.hits:
        yield Finding(
            name="personal_data_copied",
            group=Group.PRIVACY,
            metric="copied_personal_data_rate",
            what=f"{copied.count} hold personal data that stand in the reference as well: "
            f"{len(copied.values):,} values.",
            action="Drop these rows, and remove personal data from the real texts before a model "
            "learns from them or is shown them as examples.",
            rows=copied.count.rows,
            evidence=_evidence(scan, copied),
        )
    for kind in Kind:
        found = scan.of_kind(kind)
        if not found.hits:
            continue
        yield Finding(
            name=f"personal_data_{kind}",
            group=Group.PRIVACY,
            metric=f"{kind}_rate",
            what=f"{found.count} hold {_NAMES[kind]}; {len(found.values):,} differ.",
            action=_REMOVE,
            rows=found.count.rows,
            evidence=_evidence(scan, found),
        )


def _evidence(scan: _Scan, found: _Scan) -> tuple[Evidence, ...]:
    """Show the rows with most values; what leaves the audit is masked (`mask_audit`)."""
    corpus = scan.corpus
    worst = sorted(found.by_row, key=lambda row: (-len(found.by_row[row]), corpus.ids[row]))
    return tuple(
        excerpt(
            corpus,
            row,
            spans=[(hit.start, hit.end) for hit in found.by_row[row]],
            note=_note(found.by_row[row]),
        )
        for row in worst[:MOST_ROWS]
    )


def _note(hits: list[Hit]) -> str:
    first = hits[0]
    more = f", and {len(hits) - 1} more" if len(hits) > 1 else ""
    return f"{first.kind} {printable(first.masked)} at character {first.start + 1:,}{more}"
