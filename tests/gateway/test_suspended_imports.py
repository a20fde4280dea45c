"""Files that are on their way when a brand is suspended, in a process that nobody tells of it."""

from pathlib import Path
from typing import Any

import pytest

from brands import purchases
from brands.coalition import Coalition, open_coalition
from brands.rejections import BrandSuspended
from brands.travel.attaching import attach
from gateway.files import agency_import, purchase_import
from gateway.files.import_rows import Fate
from gateway.files.purchase_import import Counts, import_purchases, open_purchases
from tests.brands.booked import scene
from tests.brands.suspending import suspend, take_back
from tests.gateway.importing import HEADER, fates, load, opened, row

__all__ = ["opened"]


async def test_purchases_stop(
    opened: Coalition, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No block of a file of purchases is begun after the suspension; what was loaded stays, and the
    rest is loaded when the file is loaded again."""
    it = await scene(opened)
    number, file = it.ada.named["AERO"].number, tmp_path / "purchases.csv"
    lines = (f"{number},2026-01-0{day},{day},1\n" for day in range(1, 7))
    file.write_text("number,date,reference,amount\n" + "".join(lines))
    elsewhere, real = await open_coalition(url), purchases.load

    async def load_and_suspend(*given: Any) -> Any:
        answers = await real(*given)
        await suspend(elsewhere)
        return answers

    async def run() -> Counts:
        with open_purchases(file) as text:
            return await import_purchases(
                opened, "AERO", text, enrol=False, complain=lambda *_: None
            )

    try:
        with monkeypatch.context() as patched:
            patched.setattr(purchase_import, "BLOCK", 2)
            patched.setattr(purchases, "load", load_and_suspend)
            with pytest.raises(BrandSuspended):
                await run()
        await take_back(elsewhere)
        assert await run() == Counts(loaded=4, already_there=2, points=4)
    finally:
        await elsewhere.close()


async def test_rows_are_refused(
    opened: Coalition, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of an agency's file that come after the suspension are refused and not looked up, which
    is told; loaded again afterwards, they are attached."""
    it = await scene(opened)
    elsewhere = await open_coalition(url)

    async def attach_and_suspend(*given: Any) -> Any:
        made = await attach(*given)
        await suspend(elsewhere)
        return made

    monkeypatch.setattr(agency_import, "BATCH", 1)
    monkeypatch.setattr(agency_import, "attach", attach_and_suspend)
    try:
        reports = await load(opened, tmp_path, HEADER + row(it) + row(it, flight=118))
        assert fates(reports) == [Fate.ATTACHED, Fate.REFUSED]
        assert reports[1].why == "AERO is suspended; load it again afterwards"
        monkeypatch.setattr(agency_import, "verify", None)
        assert fates(await load(opened, tmp_path, HEADER + row(it))) == [Fate.REFUSED]
        monkeypatch.undo()
        await take_back(elsewhere)
        again = await load(opened, tmp_path, HEADER + row(it) + row(it, flight=118))
        assert fates(again) == [Fate.ALREADY_THERE, Fate.ATTACHED]
    finally:
        await elsewhere.close()
