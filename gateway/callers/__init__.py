"""Who asks: from a credential to a caller, or to a refusal."""
