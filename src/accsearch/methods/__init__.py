"""What is known of each acceleration method without torch, one file a method, and which methods combine."""
