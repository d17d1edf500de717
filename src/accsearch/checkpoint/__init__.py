"""plan.json and the markers; decides from files alone what state a task is in and why."""
