// What every htmx request carries, and the loading line while one is under way.
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;

document.addEventListener("htmx:config:request", (event) => {
  const { headers, method } = event.detail.ctx.request;
  const tenant = meta("tenant");
  if (tenant) headers["X-Tenant"] = tenant;
  if (!/^(GET|HEAD)$/i.test(method)) headers["X-CSRFToken"] = meta("csrf-token");
});

const running = new Set();
const show = () => document.documentElement.classList.toggle("is-loading", running.size > 0);

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  const polling = ctx.sourceElement?.getAttribute("hx-trigger")?.startsWith("every");
  if (!polling) running.add(ctx);
  show();
});
document.addEventListener("htmx:finally:request", (event) => {
  running.delete(event.detail.ctx);
  show();
});
