"""`make papers`: writes the committed pages and the marked parts of the READMEs anew."""

from __future__ import annotations

from payung import papers

if __name__ == "__main__":
    for path in papers.write(papers.ROOT, papers.committed()):
        print(path.relative_to(papers.ROOT))
