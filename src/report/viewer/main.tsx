import { render } from 'preact';
import { startHeatMapSelection } from './heat-map-select.js';
import { startPermalinks } from './permalink.js';
import { TraceList } from './trace-list.js';
import { TraceView } from './trace-view.js';

/** The part of the page that answers clicks: everything else is there without it. */
function Explorer() {
  return (
    <div class="explorer">
      <TraceList />
      <TraceView />
    </div>
  );
}

const place = document.getElementById('explorer')!;
place.replaceChildren();
render(<Explorer />, place);
startPermalinks();
startHeatMapSelection();
