"""The light catalogue of acceleration methods: parameters, support, compatibility; nothing here loads torch."""
