import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { keys } from "@api/queries";
import { show } from "../test-screen";
import { TriggerDialog } from "./trigger";

const dag = { dag_id: "shop", name: null, paused: true, params: { limit: { schema: { type: "integer", maximum: 10, title: "Limit" }, default: 3 }, mode: { schema: { enum: ["a", "b"] }, default: "a" } } };

it("makes a form of the params, holds back what does not fit, and shows the conf", async () => {
  show(<TriggerDialog dag="shop" onClose={() => undefined} />, [[[...keys.dag("shop"), "detail"], dag]]);
  const limit = await screen.findByLabelText(/Limit/);
  await userEvent.clear(limit);
  await userEvent.type(limit, "11");
  expect(screen.getByText("at most 10")).toBeInTheDocument();
  await userEvent.clear(limit);
  await userEvent.type(limit, "7");
  await userEvent.selectOptions(screen.getByLabelText(/mode/), "b");
  expect(screen.getByText(/"limit": 7/)).toHaveTextContent('"mode": "b"');
  expect(screen.getByLabelText(/Unpause/)).toBeChecked();
});
