"""What a row of each table on the networks of Kleinman, Achille & Soatto 2023 may hold."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from binocular.compare.rows import AnyText, Finite, Positive, Row, Share, Text

__all__ = ["AccuracyRow", "DepthRow", "InformationRow", "OnsetRow", "SevenBinsRow", "UnitBinRow"]

_Epoch = Annotated[int, Field(ge=0, le=10**6, description="a whole number of epochs, at least 0")]
_Deficit = Annotated[Literal["blur", "dissociation"], Field(description="blur or dissociation")]
_PerCent = Annotated[float, Field(allow_inf_nan=False, ge=0, le=100, description="a share in per cent, from 0 to 100")]
_Edge = Annotated[float, Field(allow_inf_nan=False, ge=-2, le=2, description="a number from -2 to 2")]
_Bits = Annotated[Positive, Field(description="a number of bits, at least 0")]
_Points = Annotated[Finite, Field(description="a number of percentage points")]


class SevenBinsRow(Row):
    """``kleinman_rsv_seven_bins.csv``: units by seven equal bins of RSV in per cent, p1 = right (treated) only."""

    deficit: _Deficit
    removal_epoch: _Epoch
    p1: _PerCent
    p2: _PerCent
    p3: _PerCent
    p4: _PerCent
    p5: _PerCent
    p6: _PerCent
    p7: _PerCent
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

    deficit: _Deficit
    removal_epoch: _Epoch
    rsv_low: _Edge
    rsv_high: _Edge
    fraction_of_units: Share = Field(description="a share from 0 to 1")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.rsv_low >= self.rsv_high:
            raise self._wrong("rsv_high", self.rsv_high, f"above {self.rsv_low:g}, the value of rsv_low")
        return self


class AccuracyRow(Row):
    """``kleinman_accuracy.csv``: test accuracy by the epoch in which the deficit was removed."""

    deficit: _Deficit
    removal_epoch: _Epoch
    test_accuracy_percent: _PerCent
    note: AnyText = ""


class DepthRow(Row):
    """``kleinman_depth.csv``: accuracy relative to no deficit, by depth of the pathways."""

    blocks_per_pathway: Annotated[int, Field(ge=1, le=100)] = Field(description="a whole number of blocks, at least 1")
    removal_epoch: _Epoch
    relative_accuracy_points: _Points


class OnsetRow(Row):
    """``kleinman_onset_kinetics.csv``: loss of accuracy by the onset of the deficit."""

    objective: Text = Field(description="what the network learned, not empty")
    deficit_onset_fraction: Share = Field(description="a fraction of training from 0 to 1")
    accuracy_decrease_points: _Points


class InformationRow(Row):
    """``kleinman_usable_information.csv``: usable information of both views and of each."""

    removal_epoch: _Epoch
    both_bits: _Bits
    left_bits: _Bits
    right_bits: _Bits
