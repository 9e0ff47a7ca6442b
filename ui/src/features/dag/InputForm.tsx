export { InputForm } from "@shared/inputform";
