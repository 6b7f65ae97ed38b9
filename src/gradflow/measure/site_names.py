"""What the calls of activations are called in tags."""

from collections.abc import Iterable, Mapping, Sequence

from gradflow.measure.activation_sites import Site
from gradflow.models.layers import layer_name


class SiteNames:
    """Names that a site keeps: `<index>_<path>` in the order of the first call, or those of the layers that are listed.

    A site that a later pass is the first to show gets the next index.
    """

    def __init__(self) -> None:
        self._names: dict[Site, str] = {}
        self._total = 0  # of the first pass: names have as many digits

    def of(self, sites: Sequence[Site], layers: Mapping[str, Sequence[str]]) -> dict[Site, str]:
        """The names of sites that a pass has shown.

        Args:
            sites: in the order of their first call.
            layers: the names of a network's layers by the path of their activation, several if they share it; empty
                for a network that lists none.
        """
        self._total = self._total or len(sites)
        for site in sites:
            if site not in self._names:
                index = len(self._names)
                self._names[site] = (
                    _of_layer(site, layers[site.path]) if layers else layer_name(index, site.path, self._total)
                )
        return {site: self._names[site] for site in sites}


def _of_layer(site: Site, names: Sequence[str]) -> str:
    """A layer whose activation is called more often than layers share it has more than one site."""
    return names[site.call] if site.call < len(names) else f"{names[-1]}_call{site.call + 1}"


def listed(names: Iterable[str], *, most: int = 3) -> str:
    """Some names for a sentence: "a, b, c and 4 more"."""
    found = list(names)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return f"{', '.join(found[:most])}{more}"
