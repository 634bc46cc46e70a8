"""The language in which a request says what a key must be permitted."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contrib.keys.permission_query import MAX_LENGTH, PermissionQueryError, parse, queries

NAMES = ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("text", "held", "met"),
    [
        ("maps.read", ["maps.read"], True),
        ("maps.read", ["maps.reads", "maps", "MAPS.READ"], False),
        ("a AND b", ["a"], False),
        ("a AND b", ["a", "b"], True),
        ("a OR b", ["b"], True),
        ("a OR b", ["c"], False),
        # AND binds more closely.
        ("a OR b AND c", ["a"], True),
        ("a OR b AND c", ["b"], False),
        ("a AND b OR c", ["c"], True),
        ("(a OR b) AND c", ["a"], False),
        ("(a OR b) AND c", ["b", "c"], True),
        ("a AND (b OR (c AND d))", ["a", "c", "d"], True),
        ("a AND (b OR (c AND d))", ["a", "c"], False),
        # Case counts in permissions and not in the two words; words are whole.
        ("a and b Or c", ["c"], True),
        ("android OR oracle.and", ["oracle.and"], True),
        ("((a))", ["a"], True),
        ("(a)AND(b)", ["a", "b"], True),
        (" \t\r\na\n", ["a"], True),
        # A star is a letter like any other.
        ("maps.*", ["maps.read"], False),
        ("maps.*", ["maps.*"], True),
        ("system:admin/x_y-z.0", ["system:admin/x_y-z.0"], True),
    ],
)
def test_what_it_means(text, held, met):
    assert parse(text).is_met(held) is met
    assert parse(text).is_met(frozenset(held)) is met
    assert parse(text).text == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "At the end there must be a permission"),
        ("  ", "At the end there must be a permission"),
        ("a AND", "At the end there must be a permission"),
        ("AND a", "At character 1 there must be a permission"),
        ("a OR OR b", "At character 6 there must be a permission"),
        ("a b", "At character 3 there must be AND, OR or the end"),
        ("a)", "At character 2 there must be AND, OR or the end"),
        ("(a", "At the end there must be AND, OR or a closing"),
        ("(a b)", "At character 4 there must be AND, OR or a closing"),
        ("()", "At character 2 there must be a permission"),
        ("a && b", "Character 3 cannot be part"),
        ("a  @", "Character 4 cannot be part"),
        ("ä", "Character 1 cannot be part"),
        ("a\u00a0AND b", "Character 2 cannot be part"),
        ("a\0", "Character 2 cannot be part"),
        ("a," * 5, "Character 2 cannot be part"),
        ("a" * (MAX_LENGTH + 1), "at most 1000 characters"),
        (" OR ".join("a" * 101), "at most 100 permissions"),
        ("(" * 21 + "a" + ")" * 21, "at most 20 deep"),
        ("(" * MAX_LENGTH, "at most 20 deep"),
    ],
)
def test_what_it_is_not(text, problem):
    with pytest.raises(PermissionQueryError) as caught:
        parse(text)
    assert problem in str(caught.value)
    # What a caller sent is named by its place, never repeated.
    assert len(str(caught.value)) < 120


def test_the_bounds_are_inside():
    assert parse(" OR ".join(f"p{number}" for number in range(100))).is_met(["p99"])
    assert parse("(" * 20 + "a" + ")" * 20).is_met(["a"])
    assert parse("a" * MAX_LENGTH).is_met(["a" * MAX_LENGTH])
    # Depth is of what is open, not of what was.
    assert parse(" AND ".join(["(a)"] * 50)).is_met(["a"])


def test_a_need_can_be_given_as_names_and_queries():
    assert queries(()) == ()
    assert [query.text for query in queries(["a b", parse("c OR d")])] == ["a b", "c OR d"]
    # A name is taken as it is: it is no expression.
    assert not queries(["a OR b"])[0].is_met(["a"])
    assert [query.text for query in queries("a OR b")] == ["a OR b"]
    with pytest.raises(ValueError, match="At the end"):
        queries("")


EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["AND", "OR", "and", "oR"]), inner).map(" ".join) | inner.map("({})".format)
    ),
    max_leaves=12,
)


@given(EXPRESSIONS, st.sets(st.sampled_from(NAMES)))
def test_it_means_what_pythons_own_operators_mean(text, held):
    """Python has the same precedence."""
    words = text.replace("(", " ( ").replace(")", " ) ").split()
    python = " ".join(word.lower() if word.upper() in {"AND", "OR"} else word for word in words)
    expected = eval(python, {name: name in held for name in NAMES})
    if python.count("( ( ") < 20:
        assert parse(text).is_met(held) is expected


@given(st.text(alphabet="ab()ANDOR &\t.", max_size=60))
def test_anything_is_a_query_or_refused(text):
    with suppress(PermissionQueryError):
        assert parse(text).text == text
