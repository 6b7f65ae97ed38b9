"""A folder `conf` where the user stands is searched for options after the package's own."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from gradflow import CONF, config_folders


class OwnOptions(SearchPathPlugin):
    """Appends the user's folder where the package's is searched; Hydra calls it in all programs that use Hydra."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        searched = [element.path.removeprefix("file://") for element in search_path.get_path()]
        folder = config_folders.own()
        if str(CONF) in searched and folder is not None:
            search_path.append(provider="gradflow: where the user stands", path=f"file://{folder}")
