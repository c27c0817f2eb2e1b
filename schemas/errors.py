"""Errors a user can meet: each has a stable code, a place, a remedy and an exit code."""

from typing import ClassVar

EXIT_DONE = 0
EXIT_GATE_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_RUN_FAILED = 3
EXIT_INTERRUPTED = 130

CODES: dict[str, str] = {
    "CS-R001": "the recipe file cannot be read",
    "CS-R002": "the recipe is not valid YAML",
    "CS-R003": "the recipe has an unknown key",
    "CS-R004": "a key that the recipe must have is missing",
    "CS-R005": "a value in the recipe is out of range or of the wrong type",
    "CS-R006": "a name is not one of the possible choices",
    "CS-R007": "keys of the recipe contradict each other",
    "CS-R008": "a path in the recipe leaves the recipe's folder",
    "CS-P001": "the prompt template does not exist",
    "CS-P002": "the prompt template is not valid Jinja",
    "CS-P003": "the prompt template uses a variable that does not exist",
    "CS-P004": "the prompt template does what the sandbox forbids",
    "CS-P005": "the examples file cannot be read",
    "CS-P006": "a line of the examples file is wrong",
    "CS-P007": "a label has too few examples",
    "CS-P008": "a prompt does not fit the model's context",
    "CS-M001": "the model does not exist",
    "CS-M002": "the model has no safetensors weights",
    "CS-M003": "the model's files are damaged or incomplete",
    "CS-M004": "the model's architecture is not supported",
    "CS-M005": "the device or dtype is not available",
    "CS-M006": "the backend does not have the strategy",
    "CS-M007": "the endpoint's key is missing or refused",
    "CS-M008": "the backend's package is not installed",
    "CS-G001": "generation failed",
    "CS-G002": "out of memory with a batch of one",
    "CS-G003": "the endpoint does not answer",
    "CS-W001": "a file of an earlier run is damaged",
    "CS-W002": "the Prefect server cannot be reached or does not start",
    "CS-W003": "out of memory outside the model",
    "CS-W004": "the workers of a cluster cannot be used",
    "CS-O001": "the output folder cannot be written",
    "CS-O002": "another run is writing into the same folder",
    "CS-O003": "there is nothing to resume",
    "CS-O004": "the disk is full",
    "CS-O005": "the output file is already there",
    "CS-D001": "the data cannot be read",
    "CS-D002": "a column is missing from the data",
    "CS-D003": "a column of the data is of the wrong type",
    "CS-D004": "a row of the data is wrong",
    "CS-D005": "the data cannot be fetched",
    "CS-D006": "the store of the data does not answer",
    "CS-E001": "there is nothing to train students on, or to test them on",
    "CS-U001": "there is no release that can be sent",
    "CS-U002": "a file of the release is not as it was published",
    "CS-U003": "the destination cannot be understood",
    "CS-U004": "the release was not sent",
    "CS-U005": "another dataset lies at the destination",
    "CS-U006": "another run has published to the same place meanwhile",
    "CS-I001": "a command-line option is wrong",
    "CS-I002": "the folder to initialise already holds such files",
    "CS-V001": "a dataset gate failed",
    "CS-V002": "the budget was spent before every row was accepted",
    "CS-X001": "an unexpected error, most likely a bug",
}
"""Every error code with its meaning; `docs/errors.md` says what to do for each."""


class CorpusmithError(Exception):
    """An error with a stable code, the place where it arose, and what to do about it.

    Args:
        message: What is wrong, in one sentence.
        code: A key of `CODES`.
        place: File with line, key path or option; empty when there is none.
        hint: What the user can do; empty when there is nothing to say.
        retryable: Whether the same call may succeed when it is made again.
    """

    exit_code: ClassVar[int] = EXIT_RUN_FAILED

    def __init__(
        self, message: str, *, code: str, place: str = "", hint: str = "", retryable: bool = False
    ) -> None:
        if code not in CODES:
            raise ValueError(f"unknown error code {code!r}")
        super().__init__(message)
        self.message = message
        self.code = code
        self.place = place
        self.hint = hint
        self.retryable = retryable

    def __reduce__(self) -> tuple[object, ...]:
        """Keep every field when the error crosses a process boundary."""
        return (
            _rebuild,
            (type(self), self.message, self.code, self.place, self.hint, self.retryable),
        )


def _rebuild(
    kind: type[CorpusmithError], message: str, code: str, place: str, hint: str, retryable: bool
) -> CorpusmithError:
    return kind(message, code=code, place=place, hint=hint, retryable=retryable)


class InputError(CorpusmithError):
    """The user's input is wrong (exit code 2): nothing was written."""

    exit_code = EXIT_BAD_INPUT


class GateError(CorpusmithError):
    """A dataset gate failed or the quota was not reached (exit code 1): nothing was released."""

    exit_code = EXIT_GATE_FAILED


class RunError(CorpusmithError):
    """The run failed and the same command resumes it (exit code 3)."""

    exit_code = EXIT_RUN_FAILED
