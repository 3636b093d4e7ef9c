"""`[xapi]` of bridge.toml: our own xAPI endpoint."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bridge.config_xapi import ReadingSection

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]


class SentSection(ReadingSection):
    """`[xapi.source.NAME]`: how the statements of one source are read, as those of an LRS.

    `forgive_logstore` lets through what Moodle's logstore_xapi gets wrong in small things.
    """

    forgive_logstore: bool = False


class XapiSection(BaseModel):
    """`[xapi]`: the endpoint at /xapi. It is on as soon as a credential is issued.

    A request of statements may be `largest_megabytes` large, with files `largest_files_megabytes`,
    and bring `largest_batch` statements; a document `largest_document_kilobytes`. A page has
    `page` statements unless asked otherwise, and at most `largest_page`. Documents that nobody has
    changed for `keep_documents_days` are forgotten, and so is what statements said that were
    received `keep_statements_days` ago; 0 keeps them. `[xapi.source.NAME]` says how the statements
    of one source are read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    largest_megabytes: Annotated[float, Field(gt=0, le=50)] = 5
    largest_files_megabytes: Annotated[float, Field(gt=0, le=200)] = 25
    largest_batch: Annotated[int, Field(ge=1, le=20_000)] = 2_000
    largest_document_kilobytes: Annotated[int, Field(ge=1, le=20_000)] = 1_000
    page: Annotated[int, Field(ge=1, le=5_000)] = 100
    largest_page: Annotated[int, Field(ge=1, le=5_000)] = 500
    keep_documents_days: Annotated[int, Field(ge=0, le=3660)] = 0
    keep_statements_days: Annotated[int, Field(ge=0, le=3660)] = 0
    source: dict[Name, SentSection] = {}
