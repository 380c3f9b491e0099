"""Guesses are kept beside what was measured, across kernels and parts of a day."""

from remix_utils.checks import predictions


def test_predictions_are_kept_beside_what_was_measured(tmp_path, monkeypatch, capsys):
    """Across kernels and parts of a day; a missing guess is a reminder, a broken file a fresh start."""
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path / ".remix"))
    monkeypatch.setattr(predictions, "KEPT", {})
    predictions.predict("d9.1.p1", 40, "points left")
    predictions.predict("d9.1.p2", ..., "points <lost>")
    predictions.predict("d9.2.p1", "head 5", "which head")
    monkeypatch.setattr(predictions, "KEPT", {})  # another kernel
    predictions.measured("d9.1.p1", 12.345, 0.51)
    predictions.measured("d9.1.p2", 7)
    said = capsys.readouterr().out
    assert "d9.1.p2: no guess yet" in said
    assert "measured 12.3 ± 0.5; predicted 40 (points left)" in said
    assert "measured 7; there was no prediction." in said
    table = predictions.predictions("d9")
    assert table.rows[0] == ("d9.1.p1", "points left", "40", "12.3 ± 0.5")
    assert table.rows[2] == ("d9.2.p1", "which head", "head 5", "–")
    assert "points &lt;lost&gt;" in table._repr_html_()
    assert repr(table).splitlines()[1].split() == [
        "d9.1.p1",
        "points",
        "left",
        "40",
        "12.3",
        "±",
        "0.5",
    ]
    assert len(predictions.predictions("d9.1").rows) == 2
    (tmp_path / ".remix" / "predictions.json").write_text('{"d9.1.p1": ')
    monkeypatch.setattr(predictions, "KEPT", {})
    predictions.predict("d9.1.p1", 1, "points left")
    assert predictions.predictions("d9").rows == [("d9.1.p1", "points left", "1", "–")]


def test_predictions_work_where_nothing_can_be_written(tmp_path, monkeypatch, capsys):
    """They last as long as the kernel."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path / "file" / "under"))
    monkeypatch.setattr(predictions, "KEPT", {})
    predictions.predict("d9.1.p1", [1, 2.5], "both")
    assert predictions.predictions("d9").rows == [("d9.1.p1", "both", "1, 2.5", "–")]
