"""The stories: a shape, a cast, and one frame for each beat."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from remix_utils.errors import DataError
from remix_utils.tasks.stories.names import people, pet, term, town
from remix_utils.tasks.stories.vocabulary import SHAPES, WORDS, Beat, Shape, plural, with_articles
from remix_utils.tasks.stream import Stream

APART = 1000  # words before a frame may come back
OTHER_SHAPES = 6  # stories before a shape may come back


def tell(n: int, seed: int = 0) -> list[str]:
    """Small stories in plain English, about people, places and things that have invented names.

    The names are made of several tokens, new in each story, and return all through it: text that one predicts better by
    looking back. There are quoted speech, lists and letters. No sentence frame returns within 1,000 words.

    >>> from remix_utils.tasks import stories
    >>> stories.tell(1, seed=1)[0][:109]
    'The urdwind is a wind. It blows on Old Grelloness once in seven years, and it takes with it whatever is not t'

    Raises DataError for fewer than one story.
    """
    if n < 1:
        raise DataError(f"{n} stories were asked for.", fix="ask for at least one.")
    told = _told(seed)
    return [_text(next(told)) for _ in range(n)]


class _Slots(dict):
    """What stands in the open places of a story's frames; see words.toml for the meaning of a name."""

    def __init__(self, stream: Stream, kind: str):
        a, b, c = people(stream)
        word = term(stream, kind)
        super().__init__(a=a, b=b, c=c, town=town(stream), far=town(stream), pet=pet(stream))
        self.stream, self.unused = stream, {}
        month = stream.below(12)
        self.update(term=word, terms=plural(word), month1=WORDS["month"][month])
        self.update(season1=WORDS["season"][(month - 2) % 12 // 3])

    def __missing__(self, name: str) -> str:
        if name[0].isupper():
            value = self[name[0].lower() + name[1:]]
            return value[0].upper() + value[1:]
        if name[-1].isdigit():
            self[name] = self._fresh(name[:-1])
            return self[name]
        return self._fresh(name) if name in WORDS else plural(self._fresh(name.removesuffix("s")))

    def _fresh(self, kind: str) -> str:
        """A word of a list that this story has not had, while there are any."""
        if not self.unused.get(kind):
            self.unused[kind] = list(WORDS[kind])
        return self.unused[kind].pop(self.stream.below(len(self.unused[kind])))


def _told(seed: int) -> Iterator[list[tuple[Beat, str, str]]]:
    """Stories without end, each as its beats, the frames taken, and the sentences that they became."""
    stream, position, used = Stream("stories", seed), 0, {}
    recent: deque[str] = deque(maxlen=OTHER_SHAPES)
    while True:
        name = stream.choose([name for name in SHAPES if name not in recent])
        recent.append(name)
        shape, story = SHAPES[name], []
        slots = _Slots(stream, shape.term)
        for beat in _beats(shape, stream):
            allowed = [frame for frame in beat.frames if position - used.get(frame, -APART) >= APART]
            frame = stream.choose(allowed) if allowed else min(beat.frames, key=lambda each: used[each])
            sentence = with_articles(frame.format_map(slots))
            position += len(sentence.split())
            used[frame] = position
            story.append((beat, frame, sentence))
        yield story


def _beats(shape: Shape, stream: Stream) -> list[Beat]:
    return [beat for beat in shape.beats if not beat.optional or stream.below(2)]


def _text(story: list[tuple[Beat, str, str]]) -> str:
    """Sentences in paragraphs: one for each speech, and lists and letters by themselves."""
    paragraphs: list[str] = []
    for beat, _, sentence in story:
        last = paragraphs[-1] if paragraphs else ""
        apart = beat.opens or "\n" in last + sentence or ('"' in last and '"' in sentence)
        if apart or not paragraphs:
            paragraphs.append(sentence)
        else:
            paragraphs[-1] += " " + sentence
    return "\n\n".join(paragraphs)
