"""The shape of OpenSLO v1 documents, as far as the Director reads them; what it can't do yet is known by name."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

Number = int | float | str


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_fields(cls, data: Any) -> Any:
        """A field with nothing behind it (`alertPolicies:`) counts as left out, as in OpenSLO's own examples."""
        if not isinstance(data, dict):
            return data
        known = {info.alias for info in cls.model_fields.values()}
        return {name: value for name, value in data.items() if value is not None or name not in known}


class Metadata(Part):
    name: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$")
    display_name: str = ""
    labels: dict[str, Any] = Field(default_factory=dict)
    annotations: dict[str, Any] = Field(default_factory=dict)


class IndicatorMetadata(Part):
    """An inline indicator's name may be left out."""

    name: str = ""
    display_name: str = ""
    labels: dict[str, Any] = Field(default_factory=dict)
    annotations: dict[str, Any] = Field(default_factory=dict)


class MetricSource(Part):
    metric_source_ref: str | None = None
    type: str | None = None
    spec: dict[str, Any]


class Metric(Part):
    metric_source: MetricSource


class RatioMetric(Part):
    counter: bool | None = None
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw_type: Any = None
    raw: Any = None


class IndicatorSpec(Part):
    description: str = ""
    ratio_metric: RatioMetric | None = None
    threshold_metric: Metric | None = None


class InlineIndicator(Part):
    metadata: IndicatorMetadata = Field(default_factory=IndicatorMetadata)
    spec: IndicatorSpec


class Calendar(Part):
    start_time: Any  # YAML reads it as a time of its own
    time_zone: str


class TimeWindow(Part):
    duration: str
    is_rolling: bool | None = None
    calendar: Calendar | None = None


class Target(Part):
    display_name: str = ""
    target: Number | None = None
    target_percent: Number | None = None
    op: Any = None
    value: Any = None
    time_slice_target: Any = None
    time_slice_window: Any = None
    indicator: Any = None
    indicator_ref: Any = None
    composite_weight: Any = None


class ServiceSpec(Part):
    description: str = ""


class SloSpec(Part):
    description: str = ""
    service: str = Field(min_length=1)
    indicator: InlineIndicator | None = None
    indicator_ref: str | None = None
    time_window: list[TimeWindow] = Field(min_length=1)
    budgeting_method: str
    objectives: list[Target] = Field(min_length=1)
    alert_policies: list[Any] = Field(default_factory=list)


class DataSourceSpec(Part):
    description: str = ""
    type: str
    connection_details: Any = None


class Document(Part):
    api_version: str
    kind: str
    metadata: Metadata


class ServiceDocument(Document):
    spec: ServiceSpec = Field(default_factory=ServiceSpec)


class IndicatorDocument(Document):
    spec: IndicatorSpec


class SloDocument(Document):
    spec: SloSpec


class DataSourceDocument(Document):
    spec: DataSourceSpec


class PrometheusSpec(Part):
    query: str = Field(min_length=1)


class TableSpec(Part):
    file: str = Field(min_length=1)
    series: str = Field(min_length=1)


READ: dict[str, type[Document]] = {
    "Service": ServiceDocument,
    "SLI": IndicatorDocument,
    "SLO": SloDocument,
    "DataSource": DataSourceDocument,
}
IGNORED = ("AlertPolicy", "AlertCondition", "AlertNotificationTarget")  # valid OpenSLO that says nothing about budgets
