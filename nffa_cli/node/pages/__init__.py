"""The node in a browser: pages made here, whole without a script; they show what ``access`` lets one see."""
