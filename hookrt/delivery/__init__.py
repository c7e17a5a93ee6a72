"""The engine: from an accepted event to finished deliveries. Clock, random, ids, store and http are handed in."""
