import pytest

from portal.sorting import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Übernahme  MÜLLER & Söhne, Straße ", "ubernahme muller & sohne, strasse"),
        ("Émile Nguyễn", "emile nguyen"),
        ("Şahin, Łukasz Ørsted", "sahin, lukasz orsted"),
        ("", ""),
    ],
)
def test_fold_sorts_and_searches_german(text, folded):
    assert fold(text) == folded
