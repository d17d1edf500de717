from accsearch.checkpoint.verify import verify


def test_untouched_results_verify(traversal, command):
    traversal.log()
    traversal.measure()
    traversal.finish()

    assert verify(traversal.workdir) == []


def test_what_was_altered_is_named(traversal):
    traversal.log()
    traversal.measure()
    traversal.finish()
    data = traversal.paths.results.read_bytes()
    traversal.paths.results.write_bytes(data.replace(b"30.5", b"99.5"))

    [problem] = verify(traversal.workdir)

    assert (
        problem
        == f"C/{traversal.task.id}: results/C/{traversal.task.id}.jsonl has changed since the task was done"
    )
    traversal.paths.results.unlink()
    assert verify(traversal.workdir)[0].endswith("is missing")


def test_a_damaged_marker_is_named(command):
    command.paths.done.write_bytes(b"")

    assert verify(command.workdir) == ["C/a: marker damaged: empty"]
