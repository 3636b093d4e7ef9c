"""Loads the file of badge definitions, with everything that is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.catalog.names import KnownNames, NameReader
from bridge.catalog.yamlfile import Pointer, load_schema, read_yaml
from bridge.domain.badges import YEAR, BadgeDefinition, BadgeTarget, Criteria
from bridge.domain.problems import BadFile, Problem, errors_among, in_order

_STOCK_ROADS = ("cohort", "competency")


@dataclass(frozen=True, slots=True)
class LoadedBadges:
    """The definitions, in file order. With an error in the file there are none."""

    badges: tuple[BadgeDefinition, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> list[Problem]:
        """The problems that kept the file out."""
        return errors_among(self.problems)


def load_badges(path: Path, known: KnownNames) -> LoadedBadges:
    """Read the badges file. A site need not have one. Never raises for what is written in it."""
    if not path.exists():
        return LoadedBadges()
    try:
        document = read_yaml(path)
    except BadFile as error:
        return LoadedBadges(problems=tuple(in_order(error.problems)))
    reader = _BadgeReader(document, known, document.validate(load_schema("badges")))
    badges = tuple(reader.badges())
    problems = tuple(in_order(reader.problems))
    return LoadedBadges(() if errors_among(problems) else badges, problems)


class _BadgeReader(NameReader):
    """Reads the badges of a document; the schema's objections are noted already."""

    def badges(self) -> Iterator[BadgeDefinition]:
        """Every definition; they can be used only if no error was noted."""
        first: dict[str, Pointer] = {}
        for index, item in self.sound("badges"):
            here: Pointer = ("badges", index)
            key = item["badge"]
            if key in first:
                line, _ = self.document.position(first[key])
                self.error(
                    (*here, "badge"),
                    f"The badge `{key}` appears twice",
                    f"It is already given on line {line}",
                    "Give one of them another name",
                )
            first.setdefault(key, (*here, "badge"))
            yield BadgeDefinition(
                key=key,
                title=item["title"],
                description=item["description"],
                criteria=self._criteria((*here, "criteria"), item["criteria"]),
                period=item.get("period", "year"),
                image=self._image((*here, "image"), item.get("image")),
                targets=tuple(self._targets((*here, "targets"), item.get("targets", []))),
            )

    def _criteria(self, here: Pointer, item: Mapping[str, Any]) -> Criteria:
        group = self.group((*here, "group"), item["group"]) if "group" in item else None
        level = self.level((*here, "level"), item["level"]) if "level" in item else None
        return Criteria(
            competencies=tuple(self.refs((*here, "competencies"), item.get("competencies", {}))),
            groups=() if group is None else (group,),
            levels=() if level is None else ((level[0].id, level[1].key),),
        )

    def _image(self, here: Pointer, name: str | None) -> str | None:
        if name is not None and not (Path(self.document.name).parent / name).is_file():
            self.error(
                here,
                f"There is no picture `{name}`",
                "The path starts from the folder of this file",
                "Correct the path, or remove `image:`",
            )
        elif name is not None and not name.lower().endswith(".png"):
            self.warn(
                here,
                f"The picture `{name}` is no PNG file",
                "The plugin takes PNG alone; Moodle then shows a picture of its own",
                "Save it as PNG, square, 256 pixels or more",
            )
        return name

    def _targets(self, here: Pointer, items: list[dict[str, Any]]) -> Iterator[BadgeTarget]:
        first: dict[str, int] = {}
        for index, item in enumerate(items):
            place: Pointer = (*here, index)
            name = item["target"]
            self.one_of((*place, "target"), name, self.known.targets, "target")
            if name in first:
                line, _ = self.document.position((*here, first[name], "target"))
                self.error(
                    (*place, "target"),
                    f"The target `{name}` appears twice",
                    f"It is already given on line {line}",
                    "Keep one of the two",
                )
            first.setdefault(name, index)
            settings = {key: str(value) for key, value in item.items() if key != "target"}
            self._check_settings(place, settings)
            yield BadgeTarget(name, settings)

    def _check_settings(self, here: Pointer, settings: Mapping[str, str]) -> None:
        for key, value in settings.items():
            for braces in re.findall(r"\{[^{}]*\}", value):
                if braces != YEAR:
                    self.error(
                        (*here, key),
                        f"`{braces}` stands for nothing",
                        f"Only `{YEAR}` is filled in, with the year of the award",
                        f"Write `{YEAR}`, or remove it",
                    )
        via = settings["via"]
        if via == "auto":
            via = next((road for road in _STOCK_ROADS if road in settings), "plugin")
        if via in _STOCK_ROADS:
            for key in ("badge", via):
                if YEAR not in settings[key]:
                    self.warn(
                        (*here, key),
                        f"The {key} is the same every year",
                        "A stock Moodle never issues a badge again, so nobody could renew it",
                        f"Make one {key} a year, and write `{YEAR}` in its name here",
                    )


__all__ = ["KnownNames", "LoadedBadges", "load_badges"]
