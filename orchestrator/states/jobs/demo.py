"""Launches the demo in one click, with the defaults that the wizard would show."""

import secrets
from typing import Any

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.errors import AppError, Unavailable
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.demo import find_demo
from orchestrator.services.models.catalog import get_model, model_layers
from orchestrator.services.training.launch import launch_job
from orchestrator.states.jobs import new_values as form
from orchestrator.states.shared.guards import run_as_user, signed_in, toast_for


def launch_demo(session: Session, actor: Actor, key: str) -> int:
    """Launches a job on the demo dataset and returns its id.

    Args:
        key: of this launch; a second call with it finds the same job.

    Raises:
        Unavailable: the demo's clips are not there yet.
    """
    demo = find_demo(session, actor)
    if not demo.href:
        raise Unavailable("The demo clips are not ready yet. Try again in a moment.")
    dataset, model = get_dataset(session, actor, demo.dataset_id), get_model(session, actor, demo.model_id)
    layers = list(dict.fromkeys(g.suffix for g in model_layers(session, actor, model.id) if g.default))
    values = form.default_values(model.parameters, demo.task, model.family)
    name = form.output_name(dataset.name, model.name, values["qlora.r"])
    recipe = form.read_recipe(values | {"output_name": name}, layers, bool(layers))
    return launch_job(session, actor, dataset.id, model.id, recipe, key).id


class DemoLaunch(rx.State, mixin=True):
    """The button "Train the demo" of a page."""

    launching_demo: bool = False
    _demo_key: str = ""

    @rx.event
    @signed_in
    async def train_demo(self):
        """Launches the demo and opens the live job."""
        self.launching_demo = True
        yield
        self._demo_key = self._demo_key or secrets.token_urlsafe(18)
        try:
            job_id: Any = await run_as_user(self, launch_demo, self._demo_key)
        except AppError as error:
            yield toast_for(error)
        else:
            yield rx.redirect(f"/jobs/{job_id}")
        finally:
            self.launching_demo = False
