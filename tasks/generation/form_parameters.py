"""Forms of replies said in the parameters of engines that mask tokens elsewhere."""

from collections.abc import Mapping
from typing import Any, assert_never

from schemas.json_form import Schema, close_objects, subschemas
from schemas.models import OpenAIModel
from schemas.output import ChoicesOutput, JsonOutput, Output, RegexOutput


def form_parameters(output: Output, *, model: OpenAIModel) -> dict[str, Any]:
    """Say a form as an endpoint wants it; nothing where it has no parameter for such a form.

    The API has no parameter for expressions and choices, and takes formats for chats alone.
    """
    match model.forms:
        case "structured_outputs":
            return {"structured_outputs": structured_outputs(output)}
        case "response_format":
            chats = model.api == "chat"
            return response_format(output) if chats and isinstance(output, JsonOutput) else {}
        case "none":
            return {}
    assert_never(model.forms)


def structured_outputs(output: Output) -> dict[str, Any]:
    """Say a form as vLLM's `StructuredOutputsParams` does; JSON without white space in it.

    https://docs.vllm.ai/en/latest/features/structured_outputs/
    """
    match output:
        case JsonOutput():
            return {"json": close_objects(output.json_schema), "disable_any_whitespace": True}
        case RegexOutput():
            return {"regex": output.regex}
        case ChoicesOutput():
            return {"choice": list(output.choices)}
    assert_never(output)


def response_format(output: JsonOutput) -> dict[str, Any]:
    """Say a JSON Schema as OpenAI's `response_format` does.

    The API promises to keep to a schema only when it is `strict`, which it accepts where objects
    require all that they list and allow nothing else; `strict` is said for those.

    https://platform.openai.com/docs/guides/structured-outputs
    """
    schema = close_objects(output.json_schema)
    form = {"name": "reply", "schema": schema, "strict": _is_strict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def _is_strict(node: Any) -> bool:
    if not isinstance(node, Mapping):
        return True
    if "properties" in node or _may_be_object(node):
        closed = node.get("additionalProperties") is False
        if not closed or set(node.get("required", ())) != set(node.get("properties", ())):
            return False
    return all(map(_is_strict, subschemas(node)))


def _may_be_object(node: Schema) -> bool:
    """Tell whether a schema names objects among its types."""
    kinds = node.get("type", ())
    return kinds == "object" or (isinstance(kinds, list) and "object" in kinds)
