"""The benchmark: takes this checkout and its peers, gives `RESULTS.md`, `results.json` and `chart.svg`.

    python -m benchmarks                 install what is missing, measure everything, write the results
    python -m benchmarks install         make one environment per peer under `.benchmarks/`
    python -m benchmarks run --only A,D  measure these sections; others keep the results they have

The parent process needs the standard library only; peers run in interpreters of their own, without a network.

A section is a module of `benchmarks.sections` that has what `benchmarks.section.Section` lists: NAME ("A"), TITLE,
REFERENCE (whose median is 1.0), CASES (case -> column heading), GOALS, and `measure(session)`, which yields a `Sample`
for each value. `benchmarks.session.Session` gives it peers, rounds, interpreters, environments and workers. It measures
round by round, every peer within one round, as ratios are formed within a round. Tables and goals are made of samples.
"""
