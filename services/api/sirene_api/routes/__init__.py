"""The HTTP routes: each module is one group of them, thin over the nouns beside this folder."""
