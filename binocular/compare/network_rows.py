"""What a row of each table on the networks of Kleinman, Achille & Soatto 2023 may hold."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from binocular.compare.rows import Finite, Positive, Row, Text

__all__ = ["AccuracyRow", "DepthRow", "InformationRow", "OnsetRow", "SevenBinsRow", "UnitBinRow"]

Epoch = Annotated[int, Field(ge=0, le=10**6)]
Deficit = Literal["blur", "dissociation"]
_EPOCH = "a whole number of epochs, at least 0"
_PER_CENT = "a share in per cent, from 0 to 100"
PerCent = Annotated[float, Field(allow_inf_nan=False, ge=0, le=100)]


class SevenBinsRow(Row):
    """``kleinman_rsv_seven_bins.csv``: units by seven equal bins of RSV in per cent, p1 = right (treated) only."""

    deficit: Deficit = Field(description="blur or dissociation")
    removal_epoch: Epoch = Field(description=_EPOCH)
    p1: PerCent = Field(description=_PER_CENT)
    p2: PerCent = Field(description=_PER_CENT)
    p3: PerCent = Field(description=_PER_CENT)
    p4: PerCent = Field(description=_PER_CENT)
    p5: PerCent = Field(description=_PER_CENT)
    p6: PerCent = Field(description=_PER_CENT)
    p7: PerCent = Field(description=_PER_CENT)
    mean_rsv: Annotated[float, Field(allow_inf_nan=False, ge=-1, le=1)] = Field(description="a number from -1 to 1")

    @property
    def counts(self) -> tuple[float, ...]:
        """The seven numbers as they stand in the table."""
        return (self.p1, self.p2, self.p3, self.p4, self.p5, self.p6, self.p7)

    @model_validator(mode="after")
    def _check_sum(self) -> Self:
        if abs(sum(self.counts) - 100) > 1:
            raise self._wrong("p1", self.p1, f"such that p1 to p7 add up to 100 and not to {sum(self.counts):g}")
        return self


class UnitBinRow(Row):
    """``kleinman_rsv_histograms.csv``: one bin of a fine histogram of RSV; +1 = left (clean) view only."""

    deficit: Deficit = Field(description="blur or dissociation")
    removal_epoch: Epoch = Field(description=_EPOCH)
    rsv_low: Annotated[float, Field(allow_inf_nan=False, ge=-2, le=2)] = Field(description="a number from -2 to 2")
    rsv_high: Annotated[float, Field(allow_inf_nan=False, ge=-2, le=2)] = Field(description="a number from -2 to 2")
    fraction_of_units: Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)] = Field(
        description="a share from 0 to 1"
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.rsv_low >= self.rsv_high:
            raise self._wrong("rsv_high", self.rsv_high, f"above {self.rsv_low:g}, the value of rsv_low")
        return self


class AccuracyRow(Row):
    """``kleinman_accuracy.csv``: test accuracy by the epoch in which the deficit was removed."""

    deficit: Deficit = Field(description="blur or dissociation")
    removal_epoch: Epoch = Field(description=_EPOCH)
    test_accuracy_percent: PerCent = Field(description=_PER_CENT)
    note: str = Field(default="", description="any text")


class DepthRow(Row):
    """``kleinman_depth.csv``: accuracy relative to no deficit, by depth of the pathways."""

    blocks_per_pathway: Annotated[int, Field(ge=1, le=100)] = Field(description="a whole number of blocks, at least 1")
    removal_epoch: Epoch = Field(description=_EPOCH)
    relative_accuracy_points: Finite = Field(description="a number of percentage points")


class OnsetRow(Row):
    """``kleinman_onset_kinetics.csv``: loss of accuracy by the onset of the deficit."""

    objective: Text = Field(description="what the network learned, not empty")
    deficit_onset_fraction: Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)] = Field(
        description="a fraction of training from 0 to 1"
    )
    accuracy_decrease_points: Finite = Field(description="a number of percentage points")


class InformationRow(Row):
    """``kleinman_usable_information.csv``: usable information of both views and of each."""

    removal_epoch: Epoch = Field(description=_EPOCH)
    both_bits: Positive = Field(description="a number of bits, at least 0")
    left_bits: Positive = Field(description="a number of bits, at least 0")
    right_bits: Positive = Field(description="a number of bits, at least 0")
