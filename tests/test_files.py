"""Files that are there whole or not at all."""

import os

import pytest

from bayescale.errors import InputError
from bayescale.files import check_place, replacing


def test_the_file_takes_its_place_when_the_block_ends_and_not_before(tmp_path):
    place = tmp_path / "page.html"
    place.write_text("old")
    with replacing(place, "page", "page.html") as name:
        with open(name, "w") as file:
            file.write("half")
        assert place.read_text() == "old"
    assert place.read_text() == "half"
    assert os.listdir(tmp_path) == ["page.html"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ZeroDivisionError, MemoryError])
def test_whatever_interrupts_the_block_leaves_the_old_file_and_no_part(tmp_path, fault):
    place = tmp_path / "page.html"
    place.write_text("old")

    def write():
        with replacing(place, "page", "page.html") as name:
            with open(name, "w") as file:
                file.write("half")
            raise fault

    with pytest.raises(fault):
        write()
    assert place.read_text() == "old"
    assert os.listdir(tmp_path) == ["page.html"]


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), ValueError("embedded null character")])
def test_what_cannot_be_written_is_said(tmp_path, fault):
    with (
        pytest.raises(InputError, match=r"Cannot write the page to .*(No space left|null character)"),
        replacing(tmp_path / "page.html", "page", "page.html"),
    ):
        raise fault
    assert os.listdir(tmp_path) == []


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.html").write_text("old")
    (tmp_path / "link.html").symlink_to("real.html")
    with replacing(tmp_path / "link.html", "page", "page.html") as name, open(name, "w") as file:
        file.write("new")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_text() == "new"


def test_no_place_for_a_file(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        check_place(tmp_path / "nowhere" / "page.html", "page", "page.html")
    with pytest.raises(InputError, match=r"it is a folder\. Name a file, such as page\.html"):
        check_place(tmp_path, "page", "page.html")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="it is no file"):
        check_place(tmp_path / "pipe", "page", "page.html")
