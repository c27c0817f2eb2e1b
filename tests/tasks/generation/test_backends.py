import subprocess
import sys

from schemas.recipe import ScriptedModel, TransformersModel
from tasks.generation.backends import inspect_model, open_backend
from tasks.generation.inspection import InspectedModel
from tasks.generation.scripted import ScriptedBackend
from tasks.generation.transformers_backend import TransformersBackend

IMPORT = """
import sys
import tasks.generation.backends, tasks.generation.cleaning, tasks.generation.scripted
assert not {"torch", "transformers", "huggingface_hub"} & sys.modules.keys()
"""


def test_the_way_in_imports_no_heavy_library():
    subprocess.run([sys.executable, "-c", IMPORT], check=True)


def test_every_model_of_a_recipe_has_its_backend(llama, tmp_path):
    (tmp_path / "replies.jsonl").write_text('{"text": "x"}')
    scripted = ScriptedModel(name="replies.jsonl")
    assert isinstance(open_backend(scripted, folder=tmp_path), ScriptedBackend)
    assert isinstance(inspect_model(scripted, folder=tmp_path), ScriptedBackend)
    real = TransformersModel(name=str(llama), device="cpu")
    assert isinstance(inspect_model(real, folder=tmp_path), InspectedModel)
    opened = open_backend(real, folder=tmp_path)
    assert isinstance(opened, TransformersBackend)
    assert opened.info == inspect_model(real, folder=tmp_path).info
