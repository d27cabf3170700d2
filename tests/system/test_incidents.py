"""Seeded incidents, short: offices over several backups, attacked at once, in stages or a file at a time, while people
work on. The clean point, the version of each file and the list have to be exactly the truth, and what is recovered byte for
byte. The long form is `./run bench detect --only incidents`."""
import pytest
from PIL import Image

from attack.incident import course_of
from incident import Incident
from office import KINDS, make_office

SEEDS = (1, 2, 3, 5, 6, 7, 8, 9, 10, 11)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    folder = make_office(tmp_path_factory.mktemp("pool") / "files", 8 * len(KINDS))
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for number, path in enumerate(path for path in paths if path.suffix == ".png"):
        # Pictures of noise are noise also when they are saved without compression.
        Image.radial_gradient("L").resize((90 + number, 100)).convert("RGB").save(path)
    return paths


@pytest.mark.parametrize("seed", SEEDS)
def test_the_clean_point_and_every_version_are_exactly_the_truth(seed, pool, tmp_path):
    incident = Incident(course_of(seed, 20, 40), pool, tmp_path)
    assert incident.wanted, "this seed attacks nothing: choose another"
    result = incident.result(write=True)
    assert result["wrong"] == {} and result["false"] == 0
    assert result["known_at"] is not None
