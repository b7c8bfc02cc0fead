"""Which variant a scenario's readiness, gates and rank are about."""

from reallabor.rating.results import RoundResult, VariantResult


def candidate_of(result: RoundResult) -> VariantResult | None:
    """The variant that the pilot team named; the only one without baseline where there is just
    one such."""
    named = [variant for variant in result.variants if variant.candidate]
    others = [variant for variant in result.variants if not variant.baseline]
    if named:
        return named[0]
    return others[0] if len(others) == 1 else None
