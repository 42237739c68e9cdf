"""What somebody who waits is told and can do: place, estimate, what starts sooner, the switch."""
