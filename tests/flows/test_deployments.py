"""The shipped deployments fit the flows that they name, and every parameter is explained."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.client.schemas.schedules import CronSchedule
from prefect.flows import load_flow_from_entrypoint
from prefect.schedules import Cron

from flows.serving import deployment_of

ROOT = Path(__file__).resolve().parents[2]
SHIPPED: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
DEPLOYMENTS: dict[str, dict[str, Any]] = {one["name"]: one for one in SHIPPED["deployments"]}


def flow_of(deployment: dict[str, Any]) -> Flow[..., Any]:
    return load_flow_from_entrypoint(deployment["entrypoint"])


def test_there_is_a_night_and_a_week() -> None:
    flows = {name: flow_of(one).name for name, one in DEPLOYMENTS.items()}
    assert flows == {"nightly": "generate", "weekly": "audit", "worth": "evaluate"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_is_whole(name: str) -> None:
    one = DEPLOYMENTS[name]
    flow = flow_of(one)
    assert set(one["tags"]) == {"corpusmith", flow.name}
    assert one["work_pool"]["name"] == "corpusmith"
    assert one["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    for schedule in one["schedules"]:
        CronSchedule(**schedule)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_parameter_has_a_value_a_type_and_an_explanation(name: str) -> None:
    one = DEPLOYMENTS[name]
    flow = flow_of(one)
    properties = flow.parameters.properties
    assert set(one["parameters"]) == set(properties), "the file shows every parameter"
    assert flow.validate_parameters(one["parameters"])
    for parameter, described in properties.items():
        assert described.get("description"), parameter
        assert {"type", "anyOf", "$ref", "allOf", "enum"} & set(described), parameter
    page = (ROOT / "prefect.yaml").read_text("utf-8")
    for parameter in properties:
        assert any(
            line.strip().startswith(f"{parameter}:") and "#" in line for line in page.splitlines()
        ), parameter


@pytest.mark.parametrize("wrong", [{"keep": 0}, {"resume": "perhaps"}, {"recipe": None}])
def test_wrong_parameters_are_refused(wrong: dict[str, Any]) -> None:
    one = DEPLOYMENTS["nightly"]
    with pytest.raises(Exception, match=next(iter(wrong))):
        flow_of(one).validate_parameters({**one["parameters"], **wrong})


@pytest.mark.parametrize("wrong", [{"terms": {"at_least": 3}}, {"terms": {"sed": 1}}, {"test": 1}])
def test_wrong_parameters_of_an_evaluation_are_refused(wrong: dict[str, Any]) -> None:
    one = DEPLOYMENTS["worth"]
    with pytest.raises(Exception, match=next(iter(wrong))):
        flow_of(one).validate_parameters({**one["parameters"], **wrong})


def test_what_serve_deploys_is_the_same_flow() -> None:
    parameters = {**DEPLOYMENTS["nightly"]["parameters"], "recipe": "/x/recipe.yaml"}
    served = deployment_of("corpus", Cron("0 2 * * *", timezone="Europe/Berlin"), parameters)
    assert (served.flow_name, served.name) == ("generate", "corpus")
    assert served.entrypoint == DEPLOYMENTS["nightly"]["entrypoint"]
    assert served.parameters == parameters
    (schedule,) = served.schedules or ()
    assert isinstance(schedule.schedule, CronSchedule)
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("0 2 * * *", "Europe/Berlin")
    assert served.concurrency_limit == 1
