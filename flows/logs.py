"""What a run says while it works, as log records: to Prefect's pages, and as JSON where asked for.

With `CORPUSMITH_LOG=json` each record is a line of JSON on stderr, in the fields of OpenTelemetry's
log data model: a collector reads it as it is. Nothing is sent anywhere by itself.

References:
    https://opentelemetry.io/docs/specs/otel/logs/data-model/
"""

import json
import logging
import os
import sys
from importlib.metadata import version
from typing import Any

VARIABLE = "CORPUSMITH_LOG"
"""Variable of the environment that says how records are shown: `json`, or not at all."""
_ATTRIBUTES = "corpusmith"
_SEVERITY = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 21}
_FIELDS_OF_RUN = {
    "flow_run_id": "prefect.flow_run.id",
    "flow_run_name": "prefect.flow_run.name",
    "flow_name": "prefect.flow.name",
}


def as_json() -> bool:
    """Tell whether JSON is asked for."""
    return os.environ.get(VARIABLE) == "json"


def say(event: str, body: str, *, level: int = logging.INFO, **attributes: Any) -> None:
    """Log something that happened to the flow run of this context.

    Args:
        event: Its name, in words joined by dots: `run.released`.
        body: The same for people.
        level: Severity, of `logging`.
        attributes: Numbers and words by name, or a table of them.
    """
    from prefect.logging import get_run_logger

    logger = get_run_logger()
    if as_json():
        _show_json("prefect.flow_runs")
    logger.log(level, body, extra=_extra(event, attributes))


def say_outside(event: str, body: str, *, level: int, **attributes: Any) -> None:
    """Write as JSON what happened to a command before, or after, its flow run."""
    _show_json(__name__)
    logging.getLogger(__name__).log(level, body, extra=_extra(event, attributes))


class OpenTelemetryFormatter(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what JSON does not know is written as text."""
        run = {
            name: getattr(record, key)
            for key, name in _FIELDS_OF_RUN.items()
            if hasattr(record, key)
        }
        own = getattr(record, _ATTRIBUTES, {})
        fields: dict[str, Any] = {
            # Nanoseconds since 1970; as text, for JSON's numbers end at 2^53.
            "Timestamp": str(int(record.created * 1e9)),
            "SeverityText": record.levelname,
            "SeverityNumber": _SEVERITY.get(record.levelname, 0),
            "Body": record.getMessage(),
            "Attributes": {**run, **_flat(own)},
            "Resource": {"service.name": "corpusmith", "service.version": version("corpusmith")},
            "InstrumentationScope": {"name": record.name},
        }
        if record.exc_info:
            fields["Attributes"]["exception.stacktrace"] = self.formatException(record.exc_info)
        from opentelemetry import trace

        if (span := trace.get_current_span().get_span_context()).is_valid:
            fields["TraceId"] = trace.format_trace_id(span.trace_id)
            fields["SpanId"] = trace.format_span_id(span.span_id)
        return json.dumps(fields, ensure_ascii=False, default=str)


def _show_json(name: str) -> None:
    logger = logging.getLogger(name)
    if any(isinstance(handler.formatter, OpenTelemetryFormatter) for handler in logger.handlers):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OpenTelemetryFormatter())
    logger.addHandler(handler)
    logger.propagate = False


def _extra(event: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {_ATTRIBUTES: {"event.name": event, **attributes}}


def _flat(attributes: dict[str, Any]) -> dict[str, Any]:
    """Write `{"rejected": {"length": 2}}` as `{"corpusmith.rejected.length": 2}`."""
    flat: dict[str, Any] = {}
    for name, value in attributes.items():
        key = name if name == "event.name" else f"corpusmith.{name}"
        if isinstance(value, dict):
            flat |= {f"{key}.{part}": own for part, own in value.items()}
        else:
            flat[key] = value
    return flat
