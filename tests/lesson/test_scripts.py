"""The list of the page's scripts."""

from gradflow.lesson import scripts


def test_every_script_is_in_the_list_once_and_the_page_starts_last():
    files = [*scripts.ENGINE, *scripts.PAGE]
    assert sorted(files) == sorted(str(file.relative_to(scripts.FOLDER)) for file in scripts.FOLDER.rglob("*.js"))
    assert files[0] == "namespace.js"
    assert files[-1] == "page/start.js"
