"""Models of reflection, as prompts beside the one box: help to think with, never fields to fill."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """One step of a model, and what to ask oneself there."""

    step: str
    ask: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model of reflection. `source` says whose it is."""

    key: str
    title: str
    source: str
    prompts: tuple[Prompt, ...]


#: The first is the one that people start with.
MODELS: tuple[Model, ...] = (
    Model(
        "what",
        "What? So what? Now what?",
        "Borton 1970; Rolfe, Freshwater and Jasper 2001",
        (
            Prompt("What?", "What did you learn, or what happened?"),
            Prompt("So what?", "What does it mean for children and families you work with?"),
            Prompt("Now what?", "What have you done differently, or will you do?"),
        ),
    ),
    Model(
        "gibbs",
        "Gibbs’ cycle",
        "Gibbs 1988",
        (
            Prompt("Description", "What happened, or what was it about?"),
            Prompt("Feelings", "What did you think and feel?"),
            Prompt("Evaluation", "What went well, and what did not?"),
            Prompt("Analysis", "What sense can you make of it?"),
            Prompt("Conclusion", "What else could you have done?"),
            Prompt("Action plan", "What will you do next time?"),
        ),
    ),
    Model(
        "kolb",
        "Kolb’s cycle",
        "Kolb 1984",
        (
            Prompt("Experience", "What did you do, see or hear?"),
            Prompt("Looking back", "What struck you about it?"),
            Prompt("Ideas", "What do you understand better now?"),
            Prompt("Trying it out", "How have you used it, or how will you?"),
        ),
    ),
)


def model_of(key: str | None) -> Model:
    """The model with this key; the first where there is none."""
    return next((model for model in MODELS if model.key == key), MODELS[0])
