"""How often the blameless check is right, on sentences of post-mortems written for it: precision and recall.

`dev.tsv` was looked at while the rules were written, `test.tsv` was written before and measured once at the end;
`reader.tsv` is of somebody who had not seen the rules, which were mended by it afterwards.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from stanch.review.blameless import check


def sentences(name: str) -> Path:
    """Return the file of labelled sentences of that name."""
    return Path(__file__).parent / "sentences" / f"{name}.tsv"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What was found of what is there, and what was found that is not."""

    right: int
    missed: tuple[str, ...]
    false: tuple[str, ...]

    @property
    def precision(self) -> float:
        """Return the share of the findings that are right, 0..1."""
        return self.right / max(1, self.right + len(self.false))

    @property
    def recall(self) -> float:
        """Return the share of the sentences that blame and were found, 0..1."""
        return self.right / max(1, self.right + len(self.missed))


def count(path: Path) -> Counted:
    """Check every sentence of a file of `blame` or `clean`, a tab and a sentence."""
    labelled = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    found = [(label, sentence, bool(check(sentence))) for label, sentence in labelled]
    return Counted(
        right=sum(1 for label, _, hit in found if hit and label == "blame"),
        missed=tuple(sentence for label, sentence, hit in found if label == "blame" and not hit),
        false=tuple(sentence for label, sentence, hit in found if label == "clean" and hit),
    )


def main() -> int:
    """Print the figures of all files; with `--show`, what was missed and what was wrong in dev."""
    for name in ("dev", "test", "reader"):
        counted = count(sentences(name))
        print(f"{name}: precision {counted.precision:.3f}, recall {counted.recall:.3f}")
        if "--show" in sys.argv and name == "dev":
            print(
                "\n".join(
                    (*(f"  missed: {one}" for one in counted.missed), *(f"  false: {one}" for one in counted.false))
                )
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
