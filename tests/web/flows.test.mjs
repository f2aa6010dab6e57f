// One process, one browser: what people do, and what they meet.
import './units.mjs';
import './journeys.mjs';
import './states.mjs';
